#compdef ferry
_ferry() {
  if ((CURRENT == 2)); then
    local -a commands=(
      'copy:mirror images now, from a terminal'
      'pull:pull mirrored images under their original names'
      'save:save images to a tar file for machines without a network'
      'serve:answer for registries, original names in, the mirror’s bytes out'
      'setup:set container clients up to pull by original names'
      'parse:show which images Ferry reads out of a text'
      'name:print the mirror name of each image, or the image of a name'
      'doctor:check the set-up of a repository and say what to click'
      'demo:see the whole job done on this machine, with nothing installed'
      'run:handle the event that started a workflow (the Action’s entry)'
      'version:print Ferry’s version, commit and Go version'
      'help:list the commands, or explain one'
      'completion:print the completion script of a shell'
      'manual:print the manual page'
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    copy) _arguments '--ca[file with certificate authorities to trust besides the system’s, in PEM (or FERRY_CA)]:file:_files' '--commands[print below each mirror the commands that pull it with docker]' '-f[file that names images, in any form; - for standard input]:file:_files' '--file[file that names images, in any form; - for standard input]:file:_files' '--json[print receipts as JSON, one for each image]' '--plain-http[host that is spoken to without TLS; may be repeated]:value: ' '-p[platforms to copy, separated by commas; all if left out]:value: ' '--platform[platforms to copy, separated by commas; all if left out]:value: ' '--private[host that may be on a loopback or private address; may be repeated]:value: ' '--profile[profile, how names are made, flat, host, last, path]:value:(flat host last path)' '-q[print only what failed]' '--quiet[print only what failed]' '-t[target, registry and namespace, such as docker.io/USER (or FERRY_TARGET)]:value: ' '--to[target, registry and namespace, such as docker.io/USER (or FERRY_TARGET)]:value: ' '-v[print a line when an image starts and when it is done, instead of bars]' '--verbose[print a line when an image starts and when it is done, instead of bars]' '--help[explain the command]' ;;
    pull) _arguments '-f[file that names images, in any form; - for standard input]:file:_files' '--file[file that names images, in any form; - for standard input]:file:_files' '--from[target, registry and namespace of a mirror, such as docker.io/USER (or FERRY_TARGET); may be repeated]:value: ' '--json[print results as JSON, one for each image]' '--keep[keep the mirror’s own name on the machine]' '--plain-http[host that is spoken to without TLS; may be repeated]:value: ' '-p[platform to pull, such as linux/arm64; the machine’s own if left out]:value: ' '--platform[platform to pull, such as linux/arm64; the machine’s own if left out]:value: ' '--private[host that may be on a loopback or private address; may be repeated]:value: ' '--profile[profile, how names are made, flat, host, last, path]:value:(flat host last path)' '--request[owner/repository to ask for what is not mirrored yet; prints the link]:value: ' '--with[client that pulls, docker, podman, nerdctl, ctr, k3s; the first one that is installed if left out]:value:(docker podman nerdctl ctr k3s)' '--help[explain the command]' ;;
    save) _arguments '--ca[file with certificate authorities to trust besides the system’s, in PEM (or FERRY_CA)]:file:_files' '-f[file that names images, in any form; - for standard input]:file:_files' '--file[file that names images, in any form; - for standard input]:file:_files' '--from[target to read from instead of the sources, registry and namespace of a mirror, such as docker.io/USER; may be repeated]:value: ' '--json[print what the archive holds as JSON]' '-o[file to write, such as images.tar; a folder for parts and scripts; - for standard output]:file:_files' '--output[file to write, such as images.tar; a folder for parts and scripts; - for standard output]:file:_files' '--plain-http[host that is spoken to without TLS; may be repeated]:value: ' '-p[platforms to save, separated by commas, or all; linux/amd64 if left out]:value: ' '--platform[platforms to save, separated by commas, or all; linux/amd64 if left out]:value: ' '--private[host that may be on a loopback or private address; may be repeated]:value: ' '--profile[profile, how names are made at the mirror, flat, host, last, path]:value:(flat host last path)' '-q[print only what failed]' '--quiet[print only what failed]' '--split[size of a part at most, such as 1900MiB; needs a folder]:value: ' '--help[explain the command]' ;;
    serve) _arguments '-c[file with everything else (or FERRY_CONFIG)]:file:_files' '--config[file with everything else (or FERRY_CONFIG)]:file:_files' '-l[address and port to listen on (or FERRY_LISTEN); 127.0.0.1,5050 if left out]:value: ' '--listen[address and port to listen on (or FERRY_LISTEN); 127.0.0.1,5050 if left out]:value: ' '--mode[mode, inshore, from mirrors alone, or offshore, from the sources too (or FERRY_MODE)]:value:(inshore offshore)' '--profile[profile, how names were made, flat, host, last, path]:value:(flat host last path)' '-t[target, registry and namespace of the mirrors, such as docker.io/USER (or FERRY_TARGET)]:value: ' '--target[target, registry and namespace of the mirrors, such as docker.io/USER (or FERRY_TARGET)]:value: ' '--help[explain the command]' ;;
    setup) _arguments '--apply[write the changes]' '--front[address of the front, such as http,//127.0.0.1,5050]:value: ' '--host[host of a source that the front answers for; may be repeated; the usual public registries if left out]:value: ' '--only[client to set up, docker, containerd, podman, k3s, rke2, buildkit; may be repeated; all that are there if left out]:value:(docker containerd podman k3s rke2 buildkit)' '--root[folder that is the root of the machine to set up]:value: ' '--undo[take out what was written]' '--help[explain the command]' ;;
    parse) _arguments '-f[file with the issue’s body; - for standard input]:file:_files' '--body[file with the issue’s body; - for standard input]:file:_files' '--explain[show every word that was considered, and why it counts or not]' '--json[print JSON]' '--title[the issue’s title]:value: ' '--help[explain the command]' ;;
    name) _arguments '--json[print JSON]' '--profile[profile, flat, host, last, path]:value:(flat host last path)' '--reverse[print the image that has the mirror name]' '-t[target, registry and namespace, such as docker.io/USER]:value: ' '--to[target, registry and namespace, such as docker.io/USER]:value: ' '--help[explain the command]' ;;
    doctor) _arguments '--read-only[change nothing, create no labels, push no image]' '--help[explain the command]' ;;
    demo) _arguments '--raw[show the comment as the Markdown that Ferry sends]' '1:word:(serve)' '--help[explain the command]' ;;
    run) _arguments '--dry-run[print the plan and the comment, change nothing]' '--help[explain the command]' ;;
    version) _arguments '--json[print JSON]' '--help[explain the command]' ;;
    help) _arguments '1:word:(copy pull save serve setup parse name doctor demo run version help completion manual)' '--help[explain the command]' ;;
    completion) _arguments '1:word:(bash zsh fish powershell)' '--help[explain the command]' ;;
    manual) _arguments '--help[explain the command]' ;;
  esac
}
if [[ $funcstack[1] == _ferry ]]; then _ferry; else compdef _ferry ferry; fi
