"""What a row says where its arguments and its input do not fit."""


class Mistake(ValueError):
    """A plain sentence; whoever holds the spans pins it to the text.

    `argument` names the culprit among the arguments, `about` is what to say there, `layer` what to
    say of the layer as a whole, `replacement` the value that would mend it, as it is written.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        argument: str | None = None,
        about: str = "",
        layer: str = "",
        note: str = "",
        help: str = "",
        replacement: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.argument = argument
        self.about = about
        self.layer = layer
        self.note = note
        self.help = help
        self.replacement = replacement
