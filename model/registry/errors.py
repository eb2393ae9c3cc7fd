"""Errors of a user's own model. Each message names the value, the expectation and the next step."""

from __future__ import annotations

from adapters.bundle.model_lookup import RegistryError


class MissingAnswers(RegistryError):
    """Something about a model that its file does not tell and nobody said.

    `answer` names the field of `Answers` that decides it, `choices` what it may be (empty: free text).
    """

    def __init__(self, answer: str, message: str, *, choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.answer = answer
        self.choices = choices
