"""What of AWS settles late, which moto does at once: new roles, moving aliases, instances kept ready, listings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_ALIAS = re.compile(r"/2015-03-31/functions/([^/]+)/aliases/([^/]+)$")
_PROVISIONED = re.compile(r"/2019-09-30/functions/([^/]+)/provisioned-concurrency$")
_FUNCTION = re.compile(r"/2015-03-31/functions/([^/]+)$")
_BUCKET = re.compile(r"/([a-z0-9-]+)/?$")
Answer = tuple[int, str, object]  # status, the error's type, document


@dataclass
class Settling:
    """`role_refusals` are what CreateFunction says to a new role, one for each request.

    An alias that moves while instances are kept ready for it leads to both versions for `moves` questions; so many
    does it take until new instances are READY. A bucket that was deleted stays in `listings` listings.
    """

    role_refusals: list[str] = field(default_factory=list)
    moves: int = 0
    listings: int = 0
    held: dict[str, int] = field(default_factory=dict)
    moving: dict[str, tuple[str, int]] = field(default_factory=dict)  # function: version before, questions left
    starting: dict[str, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer | None:
        """What Lambda answers by itself; None where moto's answer holds."""
        if found := _PROVISIONED.search(path):
            return self._provisioned(found[1], method, body)
        if method == "DELETE" and (found := _FUNCTION.search(path)) and "Qualifier=" in query:
            version = query.partition("Qualifier=")[2].partition("&")[0]
            if self.moving.get(found[1], ("", 0))[0] == version:
                said = f"Unable to delete version because the following aliases reference it: [{found[1]}]"
                return 409, "ResourceConflictException", {"Type": "User", "message": said}
        if method == "DELETE" and (found := _BUCKET.fullmatch(path)) and not query:
            self.gone[found[1]] = self.listings
        return None

    def move(self, method: str, path: str, before: str | None) -> None:
        """Note that an alias is led to another version while instances are kept ready for it."""
        if method == "PUT" and (found := _ALIAS.search(path)) and self.held.get(found[1]) and before and self.moves:
            self.moving[found[1]] = (before, self.moves)
            self.starting[found[1]] = self.moves

    def alias(self, path: str, body: bytes) -> bytes:
        """GetAlias: with the weight of the version before, as long as it moves."""
        found = _ALIAS.search(path)
        version, left = self.moving.get(found[1] if found else "", ("", 0))
        if found is None or left == 0:
            return body
        self.moving[found[1]] = (version, left - 1)
        if left == 1:
            del self.moving[found[1]]
        weights = {"RoutingConfig": {"AdditionalVersionWeights": {version: 0.5}}}
        return json.dumps({**json.loads(body), **weights}).encode()

    def buckets(self, body: bytes) -> bytes:
        """ListBuckets: with those that went a moment ago."""
        shown = [name for name, left in self.gone.items() if left > 0]
        self.gone = {name: left - 1 for name, left in self.gone.items() if left > 1}
        made = "<CreationDate>2026-11-20T00:00:00.000Z</CreationDate>"
        listed = "".join(f"<Bucket><Name>{name}</Name>{made}</Bucket>" for name in shown).encode()
        whole = body.replace(b"<Buckets/>", b"<Buckets></Buckets>").replace(b"<Buckets />", b"<Buckets></Buckets>")
        return whole.replace(b"</Buckets>", listed + b"</Buckets>")

    def _provisioned(self, name: str, method: str, body: bytes) -> Answer:
        if method == "PUT":
            if name in self.moving:
                said = "Alias with weights can not be used with Provisioned Concurrency"
                return 400, "InvalidParameterValueException", {"Type": "User", "message": said}
            self.held[name] = int(json.loads(body)["ProvisionedConcurrentExecutions"])
            self.starting[name] = self.moves
        if name not in self.held:
            said = "No Provisioned Concurrency Config found for this function"
            return 404, "ProvisionedConcurrencyConfigNotFoundException", {"Type": "User", "message": said}
        left = self.starting.get(name, 0)
        if method == "GET":
            self.starting[name] = max(left - 1, 0)
        document = {"RequestedProvisionedConcurrentExecutions": self.held[name]}
        return (202 if method == "PUT" else 200), "", {**document, "Status": "IN_PROGRESS" if left else "READY"}
