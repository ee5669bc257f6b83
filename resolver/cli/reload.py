"""`pldns reload`: has the running daemon check its configuration again, and apply it if it has no mistake."""

from resolver.cli import admin_client, output


def run(url: str, as_json: bool) -> int:
    """Reload and print the result; return 0. Raises `Failed` with every mistake where the configuration is refused."""
    result = admin_client.post(url, "/v1/reload", {})
    if as_json:
        output.data(result)
        return 0
    serial, file = result["serial"], result["file"]
    if result["last_reload"]["outcome"] == "unchanged":
        output.line(f"{file} says the same as before: configuration {serial} stays; the files that it names were read")
    else:
        output.line(f"{file} is in effect as configuration {serial}")
    for worker in result["waiting"]:
        output.line(f"worker {worker} has not taken it over yet")
    return 0
