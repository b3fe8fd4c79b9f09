"""Long help text of the command `completion`."""

COMPLETION = """\
Print a script that completes commands and options of `ostiary` in a shell. It lists
those of this version: make it again after an upgrade. It needs no database.
"""

COMPLETION_EPILOG = """\
examples:
  source <(ostiary completion bash)       in ~/.bashrc
  source <(ostiary completion zsh)        in ~/.zshrc, after compinit
  ostiary completion fish > ~/.config/fish/completions/ostiary.fish

exit codes:
  0 printed   2 wrong arguments
"""

COMMANDS = {"completion": (COMPLETION, COMPLETION_EPILOG)}
"""The text before and after the options of the command."""
