# Installs the released binary of Ferry for Windows:
#
#   Invoke-WebRequest https://github.com/imageferry/ferry/releases/latest/download/install.ps1 -OutFile install.ps1
#   powershell -ExecutionPolicy Bypass -File install.ps1
#
# $env:FERRY_VERSION   the version, such as v1.2.3; the newest otherwise
# $env:FERRY_BIN       the folder; otherwise %LOCALAPPDATA%\Programs\ferry
# $env:FERRY_RELEASES  where releases are, for machines that cannot reach GitHub
# $env:FERRY_ATTESTED  1 to install only if "gh" verifies where the archive comes from
#
# The archive is compared with the digest in the release's list. That list comes
# from the same place, so only the attestation proves who built the archive: it is
# verified if the GitHub CLI is there and logged in.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue' # which makes downloads slow
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12

$repository = 'imageferry/ferry'
$releases = if ($env:FERRY_RELEASES) { $env:FERRY_RELEASES } else { "https://github.com/$repository/releases" }
$arch = switch ($env:PROCESSOR_ARCHITECTURE) {
  'AMD64' { 'amd64' }
  'ARM64' { 'arm64' }
  default { throw "there is no release for $($env:PROCESSOR_ARCHITECTURE): build it with `"go install`"" }
}
$base = if ($env:FERRY_VERSION) { "$releases/download/v$($env:FERRY_VERSION -replace '^v', '')" } else { "$releases/latest/download" }

$folder = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
New-Item -ItemType Directory $folder | Out-Null
try {
  $list = Join-Path $folder 'checksums.txt'
  Invoke-WebRequest "$base/checksums.txt" -OutFile $list -UseBasicParsing
  $rows = @(Get-Content $list | Where-Object { $_ -match "^[0-9a-f]{64}  ferry_[0-9A-Za-z.+-]+_windows_$arch\.zip$" })
  if ($rows.Count -ne 1) { throw "the release lists $($rows.Count) archives for windows/$arch" }
  $want, $archive = $rows[0] -split '  ', 2
  $file = Join-Path $folder $archive
  Invoke-WebRequest "$base/$archive" -OutFile $file -UseBasicParsing
  $have = (Get-FileHash $file -Algorithm SHA256).Hash.ToLowerInvariant()
  if ($have -ne $want) { throw "$archive has the digest $have, the release lists $want" }

  $gh = Get-Command gh -ErrorAction SilentlyContinue
  if ($gh) { cmd /c 'gh auth status >nul 2>&1' }
  if ($gh -and $LASTEXITCODE -eq 0) {
    & gh attestation verify $file --repo $repository | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "$archive was not built by the workflow of $repository, says gh attestation verify" }
    Write-Output "the attestation of $archive is valid"
  } elseif ($env:FERRY_ATTESTED -eq '1') {
    throw 'the attestation cannot be verified: install the GitHub CLI and run "gh auth login"'
  } else {
    Write-Output "the digest of $archive is right; its attestation was not verified, because gh is not installed or not logged in"
  }

  $bin = if ($env:FERRY_BIN) { $env:FERRY_BIN } else { Join-Path $env:LOCALAPPDATA 'Programs\ferry' }
  New-Item -ItemType Directory -Force $bin | Out-Null
  Expand-Archive $file -DestinationPath (Join-Path $folder 'files')
  Copy-Item (Join-Path $folder 'files\ferry.exe') (Join-Path $bin 'ferry.exe') -Force
  & (Join-Path $bin 'ferry.exe') version
  if (($env:PATH -split ';') -notcontains $bin) { Write-Output "add $bin to PATH" }
} finally {
  Remove-Item -Recurse -Force $folder
}
