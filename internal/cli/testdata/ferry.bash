# bash completion for ferry
_ferry() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "copy sync pull save verify serve setup parse name doctor demo catalog run version help completion manual" -- "$word")
    return
  fi
  case ${COMP_WORDS[1]}$'\t'$before in
    copy$'\t'--ca) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    copy$'\t'-f|copy$'\t'--file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    copy$'\t'--plain-http) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    copy$'\t'-p|copy$'\t'--platform) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    copy$'\t'--private) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    copy$'\t'--profile) mapfile -t COMPREPLY < <(compgen -W "flat host last path" -- "$word"); return ;;
    copy$'\t'-t|copy$'\t'--to) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--ca) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    sync$'\t'--limit) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--plain-http) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'-p|sync$'\t'--platform) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--private) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--profile) mapfile -t COMPREPLY < <(compgen -W "flat host last path" -- "$word"); return ;;
    sync$'\t'--seen) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    sync$'\t'--shard) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'-t|sync$'\t'--to) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'-f|pull$'\t'--file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    pull$'\t'--from) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--plain-http) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'-p|pull$'\t'--platform) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--private) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--profile) mapfile -t COMPREPLY < <(compgen -W "flat host last path" -- "$word"); return ;;
    pull$'\t'--request) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--with) mapfile -t COMPREPLY < <(compgen -W "docker podman nerdctl ctr k3s" -- "$word"); return ;;
    save$'\t'--ca) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    save$'\t'-f|save$'\t'--file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    save$'\t'--from) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    save$'\t'--list) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    save$'\t'-o|save$'\t'--output) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    save$'\t'--plain-http) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    save$'\t'-p|save$'\t'--platform) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    save$'\t'--private) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    save$'\t'--profile) mapfile -t COMPREPLY < <(compgen -W "flat host last path" -- "$word"); return ;;
    save$'\t'--split) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    serve$'\t'-c|serve$'\t'--config) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    serve$'\t'-l|serve$'\t'--listen) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    serve$'\t'--mode) mapfile -t COMPREPLY < <(compgen -W "inshore offshore" -- "$word"); return ;;
    serve$'\t'--profile) mapfile -t COMPREPLY < <(compgen -W "flat host last path" -- "$word"); return ;;
    serve$'\t'-t|serve$'\t'--target) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--front) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--host) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--only) mapfile -t COMPREPLY < <(compgen -W "docker containerd podman k3s rke2 buildkit" -- "$word"); return ;;
    setup$'\t'--root) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    parse$'\t'-f|parse$'\t'--body) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    parse$'\t'--title) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    name$'\t'--profile) mapfile -t COMPREPLY < <(compgen -W "flat host last path" -- "$word"); return ;;
    name$'\t'-t|name$'\t'--to) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    catalog$'\t'--in) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
    catalog$'\t'-o|catalog$'\t'--output) mapfile -t COMPREPLY < <(compgen -W "" -- "$word"); return ;;
  esac
  case ${COMP_WORDS[1]} in
    copy) mapfile -t COMPREPLY < <(compgen -W "--ca --commands -f --file --json --plain-http -p --platform --private --profile -q --quiet -t --to -v --verbose --help" -- "$word") ;;
    sync) mapfile -t COMPREPLY < <(compgen -W "--ca --check --json --limit --only-missing --plain-http -p --platform --private --profile -q --quiet --seen --shard -t --to -v --verbose --help" -- "$word") ;;
    pull) mapfile -t COMPREPLY < <(compgen -W "-f --file --from --json --keep --plain-http -p --platform --private --profile --request --with --help" -- "$word") ;;
    save) mapfile -t COMPREPLY < <(compgen -W "--ca -f --file --from --json --list -o --output --plain-http -p --platform --private --profile -q --quiet --split --help" -- "$word") ;;
    verify) mapfile -t COMPREPLY < <(compgen -W "--help" -- "$word") ;;
    serve) mapfile -t COMPREPLY < <(compgen -W "-c --config -l --listen --mode --profile -t --target --help" -- "$word") ;;
    setup) mapfile -t COMPREPLY < <(compgen -W "--apply --front --host --only --root --undo --help" -- "$word") ;;
    parse) mapfile -t COMPREPLY < <(compgen -W "-f --body --explain --json --title --help" -- "$word") ;;
    name) mapfile -t COMPREPLY < <(compgen -W "--json --profile --reverse -t --to --help" -- "$word") ;;
    doctor) mapfile -t COMPREPLY < <(compgen -W "--read-only --help" -- "$word") ;;
    demo) mapfile -t COMPREPLY < <(compgen -W "serve --raw --help" -- "$word") ;;
    catalog) mapfile -t COMPREPLY < <(compgen -W "add build check search --in -o --output --help" -- "$word") ;;
    run) mapfile -t COMPREPLY < <(compgen -W "--dry-run --help" -- "$word") ;;
    version) mapfile -t COMPREPLY < <(compgen -W "--json --help" -- "$word") ;;
    help) mapfile -t COMPREPLY < <(compgen -W "copy sync pull save verify serve setup parse name doctor demo catalog run version help completion manual --help" -- "$word") ;;
    completion) mapfile -t COMPREPLY < <(compgen -W "bash zsh fish powershell --help" -- "$word") ;;
    manual) mapfile -t COMPREPLY < <(compgen -W "--help" -- "$word") ;;
  esac
}
complete -F _ferry ferry
