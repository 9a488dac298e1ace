# bash completion for ferry
# mapfile came with bash 4, macOS has bash 3.2.
_ferry_reply() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done
}
# To bash, a colon ends a word.
_ferry_images() {
  local typed=${COMP_LINE:0:COMP_POINT} line
  typed=${typed##* }
  [[ $typed == -* ]] && return
  while IFS= read -r line; do printf '%s\n' "${line#"${typed%"${typed##*:}"}"}"; done < <(ferry completion images "$typed" 2>/dev/null)
}
_ferry() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _ferry_reply < <(compgen -W "copy sync pull save verify serve setup parse name doctor demo catalog keep run version help completion manual" -- "$word")
    return
  fi
  case ${COMP_WORDS[1]}$'\t'$before in
    copy$'\t'--ca) _ferry_reply < <(compgen -f -- "$word"); return ;;
    copy$'\t'-f|copy$'\t'--file) _ferry_reply < <(compgen -f -- "$word"); return ;;
    copy$'\t'--plain-http) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    copy$'\t'-p|copy$'\t'--platform) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    copy$'\t'--private) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    copy$'\t'--profile) _ferry_reply < <(compgen -W "flat host last path one" -- "$word"); return ;;
    copy$'\t'-t|copy$'\t'--to) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--ca) _ferry_reply < <(compgen -f -- "$word"); return ;;
    sync$'\t'--jobs) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--join) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--limit) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--log) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--plain-http) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--plan) _ferry_reply < <(compgen -f -- "$word"); return ;;
    sync$'\t'-p|sync$'\t'--platform) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--private) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--profile) _ferry_reply < <(compgen -W "flat host last path one" -- "$word"); return ;;
    sync$'\t'--receipts) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'--seen) _ferry_reply < <(compgen -f -- "$word"); return ;;
    sync$'\t'--shard) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    sync$'\t'-t|sync$'\t'--to) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'-f|pull$'\t'--file) _ferry_reply < <(compgen -f -- "$word"); return ;;
    pull$'\t'--from) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--plain-http) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'-p|pull$'\t'--platform) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--private) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--profile) _ferry_reply < <(compgen -W "flat host last path one" -- "$word"); return ;;
    pull$'\t'--request) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--wait) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    pull$'\t'--with) _ferry_reply < <(compgen -W "docker podman nerdctl ctr k3s" -- "$word"); return ;;
    save$'\t'--ca) _ferry_reply < <(compgen -f -- "$word"); return ;;
    save$'\t'-f|save$'\t'--file) _ferry_reply < <(compgen -f -- "$word"); return ;;
    save$'\t'--from) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    save$'\t'--list) _ferry_reply < <(compgen -f -- "$word"); return ;;
    save$'\t'--max-size) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    save$'\t'-o|save$'\t'--output) _ferry_reply < <(compgen -f -- "$word"); return ;;
    save$'\t'--plain-http) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    save$'\t'-p|save$'\t'--platform) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    save$'\t'--private) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    save$'\t'--profile) _ferry_reply < <(compgen -W "flat host last path one" -- "$word"); return ;;
    save$'\t'--split) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    serve$'\t'-c|serve$'\t'--config) _ferry_reply < <(compgen -f -- "$word"); return ;;
    serve$'\t'-l|serve$'\t'--listen) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    serve$'\t'--mode) _ferry_reply < <(compgen -W "inshore offshore" -- "$word"); return ;;
    serve$'\t'--profile) _ferry_reply < <(compgen -W "flat host last path one" -- "$word"); return ;;
    serve$'\t'-t|serve$'\t'--target) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--ca) _ferry_reply < <(compgen -f -- "$word"); return ;;
    setup$'\t'--front) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--host) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--no-proxy) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--only) _ferry_reply < <(compgen -W "docker docker-rootless containerd podman k3s rke2 buildkit" -- "$word"); return ;;
    setup$'\t'--proxy) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--root) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--test) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    setup$'\t'--token) _ferry_reply < <(compgen -f -- "$word"); return ;;
    parse$'\t'-f|parse$'\t'--body) _ferry_reply < <(compgen -f -- "$word"); return ;;
    parse$'\t'--title) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    name$'\t'--catalog) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    name$'\t'--profile) _ferry_reply < <(compgen -W "flat host last path one" -- "$word"); return ;;
    name$'\t'-t|name$'\t'--to) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    catalog$'\t'--in) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    catalog$'\t'-o|catalog$'\t'--output) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    catalog$'\t'--request) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    keep$'\t'--in) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
    completion$'\t'--catalog) _ferry_reply < <(compgen -W "" -- "$word"); return ;;
  esac
  case ${COMP_WORDS[1]} in
    copy) _ferry_reply < <(compgen -W "--ca --commands -f --file --json --plain-http -p --platform --private --profile -q --quiet -t --to -v --verbose --help" -- "$word") ;;
    sync) _ferry_reply < <(compgen -W "--ca --check --jobs --join --json --limit --log --only-missing --plain-http --plan -p --platform --private --profile -q --quiet --receipts --seen --shard -t --to -v --verbose --help" -- "$word") ;;
    pull) _ferry_reply < <(compgen -W "-f --file --from --json --keep --plain-http -p --platform --private --profile --request --wait --with --help" -- "$word"; _ferry_images) ;;
    save) _ferry_reply < <(compgen -W "--ca -f --file --from --json --list --max-size -o --output --plain-http -p --platform --private --profile -q --quiet --referrers --split --help" -- "$word"; _ferry_images) ;;
    verify) _ferry_reply < <(compgen -W "--help" -- "$word") ;;
    serve) _ferry_reply < <(compgen -W "-c --config -l --listen --mode --profile -t --target --help" -- "$word") ;;
    setup) _ferry_reply < <(compgen -W "--apply --ca --front --host --no-proxy --only --proxy --restart --root --test --token --undo --user --help" -- "$word") ;;
    parse) _ferry_reply < <(compgen -W "-f --body --explain --json --title --help" -- "$word") ;;
    name) _ferry_reply < <(compgen -W "--catalog --json --profile --reverse -t --to --help" -- "$word"; _ferry_images) ;;
    doctor) _ferry_reply < <(compgen -W "--mirrors --read-only --help" -- "$word") ;;
    demo) _ferry_reply < <(compgen -W "serve --raw --help" -- "$word") ;;
    catalog) _ferry_reply < <(compgen -W "add harvest rebuild build check search --in -o --output --request --help" -- "$word") ;;
    keep) _ferry_reply < <(compgen -W "--apply --in --help" -- "$word") ;;
    run) _ferry_reply < <(compgen -W "--dry-run --help" -- "$word") ;;
    version) _ferry_reply < <(compgen -W "--json --help" -- "$word") ;;
    help) _ferry_reply < <(compgen -W "copy sync pull save verify serve setup parse name doctor demo catalog keep run version help completion manual --help" -- "$word") ;;
    completion) _ferry_reply < <(compgen -W "bash zsh fish powershell images --catalog --help" -- "$word") ;;
    manual) _ferry_reply < <(compgen -W "--help" -- "$word") ;;
  esac
}
complete -F _ferry ferry
