"""One error tree: every leaf has a stable code and an HTTP status, the same on every cloud."""

from __future__ import annotations

from typing import ClassVar


class TripointError(Exception):
    """Base of all errors that a client may see.

    The message names the value, the expectation and the next step.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def document(self) -> dict[str, object]:
        """The JSON document of this error; it carries nothing of the instance or the cloud."""
        return {"error": {"code": self.code, "status": self.status, "message": str(self)}}


class Internal(TripointError):
    """An error that nobody foresaw; the traceback is in the log, never in the answer."""

    def __init__(self) -> None:
        super().__init__("the classifier failed on this request; its log has the cause: report it with the request")


# At start.


class SettingsError(TripointError):
    """An environment variable that cannot be used: `variable` = `value`, where `expected` was."""

    code = "bad_setting"

    def __init__(self, variable: str, value: str, expected: str) -> None:
        super().__init__(f"{variable}={value!r}: expected {expected}; correct it or unset it for the default")


class ModelError(TripointError):
    """A model that cannot be served; the message names the file, the cause and the next step."""

    code = "bad_model"


# The request.


class NotFound(TripointError):
    code = "not_found"
    status = 404


class MethodNotAllowed(TripointError):
    code = "method_not_allowed"
    status = 405

    def __init__(self, method: str, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{method} {path} is not offered: use {' or '.join(allowed)}")
        self.allowed = allowed


class BodyTooLarge(TripointError):
    """A front door may answer with this before the function is reached."""

    code = "body_too_large"
    status = 413

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"the body has {size_bytes} bytes, the limit is {limit_bytes}: send a smaller image, "
            "or raise TRIPOINT_MAX_BODY_BYTES"
        )


class EmptyBody(TripointError):
    code = "empty_body"
    status = 400

    def __init__(self) -> None:
        super().__init__(
            'the body is empty: send the bytes of an image, or JSON {"url": "https://..."} or {"image": "<base64>"}; '
            'to a model of features {"features": [...]}'
        )


class UnsupportedMedia(TripointError):
    """A body in a form that is not read at all, such as multipart or compressed."""

    code = "unsupported_media"
    status = 415


class BadJson(TripointError):
    code = "bad_json"
    status = 400


class BadField(TripointError):
    """A field of the JSON body or a query parameter with a wrong name, type or value."""

    code = "bad_field"
    status = 400


class WrongInput(TripointError):
    """Features for a model of images, or an image for a model of features."""

    code = "wrong_input"
    status = 400


class NoScores(TripointError):
    """A model that answered with NaN or infinity, which no JSON can hold."""

    code = "no_scores"
    status = 422

    def __init__(self, model: str) -> None:
        super().__init__(
            f"model {model} gives no finite scores for this input: send values in the range that it was trained on"
        )


class UnknownModel(TripointError):
    code = "unknown_model"
    status = 400

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"there is no model {name[:80]!r} here: use {' or '.join(known)}, or leave `model` out")


# The image.


class BrokenImage(TripointError):
    """Bytes that begin like an image and cannot be decoded to their end."""

    code = "broken_image"
    status = 400


class UnsupportedImage(TripointError):
    """Bytes that are no image, or an image in a form that is not read."""

    code = "unsupported_image"
    status = 415


class ImageTooLarge(TripointError):
    code = "image_too_large"
    status = 413


# The address of an image.


class UrlRefused(TripointError):
    """An address that is not fetched, whatever it answers."""

    code = "url_refused"
    status = 400


class FetchOff(TripointError):
    code = "fetch_off"
    status = 403

    def __init__(self) -> None:
        super().__init__("fetching of `url` is switched off here: send the image itself, or set TRIPOINT_FETCH=on")


class FetchFailed(TripointError):
    """An address that was tried and gave no image."""

    code = "fetch_failed"
    status = 422
