"""`tripoint model pull`: fetch a public model of the catalogue and register it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cli.framework.registration import RegistrationOptions
    from model.registry.catalogue import Offer


@click.command(epilog="Example: tripoint model pull mobilenet-v2")
@click.argument("offered", metavar="[NAME]", required=False)
@click.option("--accept-sha256", metavar="HEX", help="Trust a file with this checksum where the catalogue has none.")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Take this file, fetched by other means.")
@click.option("--name", help="How commands call it.  [default: NAME]")
@click.option("--image", "images", multiple=True, type=click.Path(path_type=Path), help="Try it on this photograph.")
@click.option("--replace", is_flag=True, help="Take the place of a registered model of the same name.")
@click.option("--yes", is_flag=True, help="Do not ask before registering.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document; no questions.")
def command(
    *,
    offered: str | None,
    accept_sha256: str | None,
    source: Path | None,
    name: str | None,
    images: tuple[Path, ...],
    replace: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Fetch the public model NAME, check it and register it; without NAME, list them.

    A download that breaks off goes on where it stopped. Proxies are those of the environment (HTTPS_PROXY).
    """
    from cli.framework.registration import RegistrationOptions
    from model.registry import catalogue

    if offered is None:
        _show_offers(as_json=as_json)
        return
    for path in (*images, *filter(None, [source])):
        if not path.is_file():
            raise click.UsageError(f"{str(path)!r} is not a file: correct --image or --from")
    manner = RegistrationOptions(images, replace=replace, yes=yes, as_json=as_json)
    _pull(catalogue.offer_of(offered), name or offered, manner, accepted=accept_sha256, source=source)


def _show_offers(*, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from model.registry import catalogue

    for name, offer in catalogue.offers().items():
        if as_json:
            click.echo(json.dumps(asdict(offer), ensure_ascii=False))
            continue
        size = f"{offer.bytes / 1e6:.1f} MB" if offer.bytes else "size unknown"
        checked = "" if offer.sha256 else "; no checksum known, you confirm it once"
        click.echo(f"{name}\n  {offer.title}\n  {size}, licence {offer.licence}{checked}\n  {offer.page}")


def _pull(offer: Offer, name: str, manner: RegistrationOptions, *, accepted: str | None, source: Path | None) -> None:
    from dataclasses import replace

    from cli.framework.registration import register
    from model.registry import model_folder, pulling
    from model.registry.description import Answers

    model_folder.check_free(name, replace=manner.replace)
    with model_folder.draft_folder() as folder:
        file = _obtain(offer, folder, manner, accepted=accepted, source=source)
        labels = pulling.obtain_labels(offer, folder, told=lambda done, total: None)
        answers = Answers(name=name, title=offer.title, licence=offer.licence)
        answers = replace(answers, **(offer.answers | ({"labels": labels} if labels else {})))
        register(file, answers, replace(manner, origin=(("url", offer.url), ("page", offer.page))))
    pulling.forget(offer)


def _obtain(
    offer: Offer, folder: Path, manner: RegistrationOptions, *, accepted: str | None, source: Path | None
) -> Path:
    """Get the file; where the catalogue has no checksum, ask on a terminal whether to trust it."""
    from cli.framework.progress import Display
    from model.registry import pulling

    def get(trusted: str | None) -> Path:
        with Display(quiet=manner.as_json) as display:
            return pulling.obtain(
                offer,
                folder,
                accepted=trusted,
                source=source,
                told=lambda done, total: display.show("fetch, kB", done // 1000, (total or offer.bytes or 0) // 1000),
            )

    try:
        return get(accepted)
    except pulling.Unvouched as question:
        if not (manner.asks and sys.stderr.isatty()):
            raise
        click.echo(str(question), err=True)
        click.confirm("Trust this file, and only this one, from now on?", abort=True, err=True)
        return get(question.sha256)
