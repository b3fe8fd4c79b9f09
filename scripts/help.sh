# Sourced by the other scripts; it runs nothing by itself.

# True when an argument asks for help.
wants_help() {
    local argument
    for argument in "$@"; do
        case $argument in -h | --help) return 0 ;; esac
    done
    return 1
}

# Prints the comment at the head of the script that sources this file.
show_header() {
    sed -n -e '2,/^[^#]/s/^# \{0,1\}//p' "$(dirname "${BASH_SOURCE[0]}")/$(basename "$0")"
}

# Prints it and ends the script when an argument asks for help.
help_from_header() {
    if wants_help "$@"; then
        show_header
        exit 0
    fi
}

# Makes the environment of developers ready. Help changes nothing: without that environment, which the program behind
# the script needs for its own help, one line and the head of the script stand in for it.
setup_unless_help() {
    if ! wants_help "$@"; then
        scripts/setup --dev --no-console >&2
    elif ! grep -qs '^dev ' .venv/.ostiary; then
        echo "usage: scripts/$(basename "$0"): to see its arguments, run scripts/setup --dev first"
        show_header
        exit 0
    fi
}
