#compdef ferry
_ferry() {
  if ((CURRENT == 2)); then
    local -a commands=(
      'copy:mirror images now, from a terminal'
      'sync:keep the images of lists up to date'
      'pull:pull mirrored images under their original names'
      'save:save images to a tar file for machines without a network'
      'verify:check that an archive of images is intact'
      'serve:serve mirrored images under their original names'
      'setup:configure container clients to pull by original names'
      'parse:show which images Ferry finds in a text'
      'name:print the mirror name of an image, or the image of a mirror name'
      'doctor:check the set-up of a repository and say what to fix'
      'demo:show the whole process on this machine, without registries'
      'catalog:keep a log of all mirrors and build a site from it'
      'run:handle the event that started a workflow (used by the Action)'
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
    copy) _arguments '--ca[file with certificate authorities to trust besides the system’s, in PEM (or FERRY_CA)]:file:_files' '--commands[print the docker commands that pull each mirror]' '-f[file with image names, in any form; - for standard input]:file:_files' '--file[file with image names, in any form; - for standard input]:file:_files' '--json[print receipts as JSON, one for each image]' '--plain-http[host to connect to without TLS; may be repeated]:value: ' '-p[platforms to copy, separated by commas (default, all)]:value: ' '--platform[platforms to copy, separated by commas (default, all)]:value: ' '--private[host that may be on a loopback or private address; may be repeated]:value: ' '--profile[naming profile, flat, host, last, path]:value:(flat host last path)' '-q[print failures only]' '--quiet[print failures only]' '-t[target, registry and namespace, such as docker.io/USER (or FERRY_TARGET)]:value: ' '--to[target, registry and namespace, such as docker.io/USER (or FERRY_TARGET)]:value: ' '-v[print a line when an image starts and when it is done, instead of progress bars]' '--verbose[print a line when an image starts and when it is done, instead of progress bars]' '--help[explain the command]' ;;
    sync) _arguments '--ca[file with certificate authorities to trust besides the system’s, in PEM (or FERRY_CA)]:file:_files' '--check[copy nothing; show why each tag is selected or not, and what would be copied]' '--json[print records as JSON, one for each image and target]' '--limit[maximum number of tags that one entry may select]:value: ' '--only-missing[only copy images that the target does not have, without checking for moved tags]' '--plain-http[host to connect to without TLS; may be repeated]:value: ' '-p[platforms to copy for entries without platforms, separated by commas (default, all)]:value: ' '--platform[platforms to copy for entries without platforms, separated by commas (default, all)]:value: ' '--private[host that may be on a loopback or private address; may be repeated]:value: ' '--profile[naming profile, flat, host, last, path]:value:(flat host last path)' '-q[print failures only]' '--quiet[print failures only]' '--seen[file that stores comparisons for the next run (or FERRY_SEEN)]:file:_files' '--shard[part of the lists to copy, such as 2/8 for the second of eight jobs (or FERRY_SHARD)]:value: ' '-t[target, registry and namespace, such as docker.io/USER (or FERRY_TARGET)]:value: ' '--to[target, registry and namespace, such as docker.io/USER (or FERRY_TARGET)]:value: ' '-v[print a line when an image starts and when it is done, instead of progress bars]' '--verbose[print a line when an image starts and when it is done, instead of progress bars]' '--help[explain the command]' ;;
    pull) _arguments '-f[file with image names, in any form; - for standard input]:file:_files' '--file[file with image names, in any form; - for standard input]:file:_files' '--from[target, registry and namespace of a mirror, such as docker.io/USER (or FERRY_TARGET); may be repeated]:value: ' '--json[print results as JSON, one for each image]' '--keep[keep the mirror name on the machine, too]' '--plain-http[host to connect to without TLS; may be repeated]:value: ' '-p[platform to pull, such as linux/arm64 (default, that of the machine)]:value: ' '--platform[platform to pull, such as linux/arm64 (default, that of the machine)]:value: ' '--private[host that may be on a loopback or private address; may be repeated]:value: ' '--profile[naming profile, flat, host, last, path]:value:(flat host last path)' '--request[owner/repository to request missing images from; prints the link]:value: ' '--with[client to pull with, docker, podman, nerdctl, ctr, k3s (default, the first that is installed)]:value:(docker podman nerdctl ctr k3s)' '--help[explain the command]' ;;
    save) _arguments '--ca[file with certificate authorities to trust besides the system’s, in PEM (or FERRY_CA)]:file:_files' '-f[file with image names, in any form; - for standard input]:file:_files' '--file[file with image names, in any form; - for standard input]:file:_files' '--from[target to read from instead of the sources, registry and namespace of a mirror, such as docker.io/USER; may be repeated]:value: ' '--json[print the contents of the archive as JSON]' '--list[file with a list as "ferry sync" reads it, also with ranges of tags; may be repeated]:file:_files' '--max-size[largest size of the archive, such as 4GiB; a larger one is not saved]:value: ' '-o[file to write, such as images.tar; a folder for parts and scripts; - for standard output]:file:_files' '--output[file to write, such as images.tar; a folder for parts and scripts; - for standard output]:file:_files' '--plain-http[host to connect to without TLS; may be repeated]:value: ' '-p[platforms to save, separated by commas, or all (default linux/amd64)]:value: ' '--platform[platforms to save, separated by commas, or all (default linux/amd64)]:value: ' '--private[host that may be on a loopback or private address; may be repeated]:value: ' '--profile[naming profile of the mirrors, flat, host, last, path]:value:(flat host last path)' '-q[print failures only]' '--quiet[print failures only]' '--split[largest size of a part, such as 1900MiB; needs a folder]:value: ' '--help[explain the command]' ;;
    verify) _arguments '--help[explain the command]' ;;
    serve) _arguments '-c[file with all other settings (or FERRY_CONFIG)]:file:_files' '--config[file with all other settings (or FERRY_CONFIG)]:file:_files' '-l[address and port to listen on (or FERRY_LISTEN) (default 127.0.0.1,5050)]:value: ' '--listen[address and port to listen on (or FERRY_LISTEN) (default 127.0.0.1,5050)]:value: ' '--mode[mode, inshore reads from mirrors only, offshore also from the sources (or FERRY_MODE)]:value:(inshore offshore)' '--profile[naming profile of the mirrors, flat, host, last, path]:value:(flat host last path)' '-t[target, registry and namespace of the mirrors, such as docker.io/USER (or FERRY_TARGET)]:value: ' '--target[target, registry and namespace of the mirrors, such as docker.io/USER (or FERRY_TARGET)]:value: ' '--help[explain the command]' ;;
    setup) _arguments '--apply[write the changes]' '--front[address of the front, such as http,//127.0.0.1,5050]:value: ' '--host[host of a source that the front serves; may be repeated (default, the usual public registries)]:value: ' '--only[client to set up, docker, containerd, podman, k3s, rke2, buildkit; may be repeated (default, all that are found)]:value:(docker containerd podman k3s rke2 buildkit)' '--root[root folder of the machine to set up]:value: ' '--undo[remove the changes]' '--help[explain the command]' ;;
    parse) _arguments '-f[file with the issue’s body; - for standard input]:file:_files' '--body[file with the issue’s body; - for standard input]:file:_files' '--explain[show every word that was considered, and why it was accepted or not]' '--json[print JSON]' '--title[the issue’s title]:value: ' '--help[explain the command]' ;;
    name) _arguments '--json[print JSON]' '--profile[profile, flat, host, last, path]:value:(flat host last path)' '--reverse[print the image that has the mirror name]' '-t[target, registry and namespace, such as docker.io/USER]:value: ' '--to[target, registry and namespace, such as docker.io/USER]:value: ' '--help[explain the command]' ;;
    doctor) _arguments '--read-only[make no changes, create no labels, push no image]' '--help[explain the command]' ;;
    demo) _arguments '--raw[show the comment as the Markdown that Ferry sends]' '1:word:(serve)' '--help[explain the command]' ;;
    catalog) _arguments '--in[folder of the log]:value: ' '-o[folder of the site]:value: ' '--output[folder of the site]:value: ' '--request[owner/repository for requests of images that are not found (default, that of the workflow)]:value: ' '1:word:(add build check search)' '--help[explain the command]' ;;
    run) _arguments '--dry-run[print the plan and the comment without changing anything]' '--help[explain the command]' ;;
    version) _arguments '--json[print JSON]' '--help[explain the command]' ;;
    help) _arguments '1:word:(copy sync pull save verify serve setup parse name doctor demo catalog run version help completion manual)' '--help[explain the command]' ;;
    completion) _arguments '1:word:(bash zsh fish powershell)' '--help[explain the command]' ;;
    manual) _arguments '--help[explain the command]' ;;
  esac
}
if [[ $funcstack[1] == _ferry ]]; then _ferry; else compdef _ferry ferry; fi
