"""`pldns cache`: shows and flushes the caches of the workers of a running daemon."""

from resolver.cli import admin_client, output


def show(url: str, as_json: bool) -> int:
    """Print the size of each worker's caches; return 0."""
    found = list(admin_client.items(url, "/v1/cache"))
    if as_json:
        output.data(found)
        return 0
    rows = [
        (str(each["worker"]), str(each["replies"]), _mebibytes(each["octets"]), str(each["answers"]),
         _mebibytes(each["answer_octets"]))
        for each in found
    ]  # fmt: skip
    output.table(("worker", "upstream replies", "size", "compiled answers", "size"), rows)
    if not rows:
        output.line("no worker answers")
    return 0


def flush(url: str, name: str, rtype: str | None, subtree: bool, as_json: bool) -> int:
    """Remove upstream replies from the caches of all workers; return 1 when a worker does not confirm, else 0."""
    result = admin_client.post(
        url, "/v1/cache", {"action": "flush", "name": name, "subtree": subtree, "type": rtype}
    )  # fmt: skip
    if as_json:
        output.data(result)
    else:
        output.line(f"{result['flushed']} replies removed")
        for worker in result["silent"]:
            output.line(f"worker {worker} did not answer: it may still hold them")
    return 1 if result["silent"] else 0


def _mebibytes(octets: int) -> str:
    return f"{octets / (1 << 20):.1f} MiB"
