# Sourced by the commands of bin/: finds a Python that can run them, or says in one sentence what is missing.
# Sets $commands (this folder) and $python. PYTHON=/path/to/python3 chooses another one than python3.

commands=$(dirname "$(readlink -f "$0")")/commands
python=${PYTHON:-python3}

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
        fr*)
            here="est en version $version"
            [ -n "$version" ] || here="est introuvable"
            printf '%s\n' "Cordée demande Python 3.11 ou plus récent, et « $python » $here : installez-le, ou indiquez où il est avec PYTHON=/chemin/vers/python3 $0" >&2
            ;;
        *)
            here="is version $version"
            [ -n "$version" ] || here="was not found"
            printf '%s\n' "Cordée needs Python 3.11 or later, and \"$python\" $here: install it, or say where it is with PYTHON=/path/to/python3 $0" >&2
            ;;
    esac
    exit 1
fi
