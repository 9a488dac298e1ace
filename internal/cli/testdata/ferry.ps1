# PowerShell completion for ferry
Register-ArgumentCompleter -Native -CommandName ferry -ScriptBlock {
  param($word, $ast, $cursor)
  $words = @($ast.CommandElements | ForEach-Object { $_.ToString() })
  $before = if ($word) { $words.Count - 1 } else { $words.Count }
  $found = if ($before -le 1) {
    @('copy', 'sync', 'pull', 'save', 'verify', 'serve', 'setup', 'parse', 'name', 'doctor', 'demo', 'catalog', 'keep', 'run', 'version', 'help', 'completion', 'manual')
  } else {
    switch ($words[1]) {
      'copy' {
        if ($words[$before - 1] -in @('--profile')) { @('flat', 'host', 'last', 'path', 'one'); break }
        @('--ca', '--commands', '-f', '--file', '--json', '--plain-http', '-p', '--platform', '--private', '--profile', '-q', '--quiet', '-t', '--to', '-v', '--verbose', '--help')
      }
      'sync' {
        if ($words[$before - 1] -in @('--profile')) { @('flat', 'host', 'last', 'path', 'one'); break }
        @('--ca', '--check', '--jobs', '--join', '--json', '--limit', '--log', '--only-missing', '--plain-http', '--plan', '-p', '--platform', '--private', '--profile', '-q', '--quiet', '--receipts', '--seen', '--shard', '-t', '--to', '-v', '--verbose', '--help')
      }
      'pull' {
        if ($words[$before - 1] -in @('--profile')) { @('flat', 'host', 'last', 'path', 'one'); break }
        if ($words[$before - 1] -in @('--with')) { @('docker', 'podman', 'nerdctl', 'ctr', 'k3s'); break }
        @('-f', '--file', '--from', '--json', '--keep', '--plain-http', '-p', '--platform', '--private', '--profile', '--request', '--wait', '--with', '--help')
        if ($word -notlike '-*') { ferry completion images $word }
      }
      'save' {
        if ($words[$before - 1] -in @('--profile')) { @('flat', 'host', 'last', 'path', 'one'); break }
        @('--ca', '-f', '--file', '--from', '--json', '--list', '--max-size', '-o', '--output', '--plain-http', '-p', '--platform', '--private', '--profile', '-q', '--quiet', '--referrers', '--split', '--help')
        if ($word -notlike '-*') { ferry completion images $word }
      }
      'verify' {
        @('--help')
      }
      'serve' {
        if ($words[$before - 1] -in @('--mode')) { @('inshore', 'offshore'); break }
        if ($words[$before - 1] -in @('--profile')) { @('flat', 'host', 'last', 'path', 'one'); break }
        @('-c', '--config', '-l', '--listen', '--mode', '--profile', '-t', '--target', '--help')
      }
      'setup' {
        if ($words[$before - 1] -in @('--only')) { @('docker', 'docker-rootless', 'containerd', 'podman', 'k3s', 'rke2', 'buildkit'); break }
        @('--apply', '--ca', '--front', '--host', '--no-proxy', '--only', '--proxy', '--restart', '--root', '--test', '--token', '--undo', '--user', '--help')
      }
      'parse' {
        @('-f', '--body', '--explain', '--json', '--title', '--help')
      }
      'name' {
        if ($words[$before - 1] -in @('--profile')) { @('flat', 'host', 'last', 'path', 'one'); break }
        @('--catalog', '--json', '--profile', '--reverse', '-t', '--to', '--help')
        if ($word -notlike '-*') { ferry completion images $word }
      }
      'doctor' {
        @('--mirrors', '--read-only', '--help')
      }
      'demo' {
        @('serve', '--raw', '--help')
      }
      'catalog' {
        @('add', 'harvest', 'rebuild', 'build', 'check', 'search', '--in', '-o', '--output', '--request', '--help')
      }
      'keep' {
        @('--apply', '--in', '--help')
      }
      'run' {
        @('--dry-run', '--help')
      }
      'version' {
        @('--json', '--help')
      }
      'help' {
        @('copy', 'sync', 'pull', 'save', 'verify', 'serve', 'setup', 'parse', 'name', 'doctor', 'demo', 'catalog', 'keep', 'run', 'version', 'help', 'completion', 'manual', '--help')
      }
      'completion' {
        @('bash', 'zsh', 'fish', 'powershell', 'images', '--catalog', '--help')
      }
      'manual' {
        @('--help')
      }
    }
  }
  $found | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
