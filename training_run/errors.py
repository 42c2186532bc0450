"""The one exception that a user is meant to see."""


class UserError(Exception):
    """Something the user can put right; its text is one clear sentence.

    A command prints the text and ends with `exit_code`, without a traceback.
    """

    exit_code = 2
