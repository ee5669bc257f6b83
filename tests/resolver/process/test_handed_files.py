"""Contents of files that cross from one process to another through a descriptor."""

import os

from resolver.process import handed_files


def test_contents_arrive_through_a_descriptor_of_their_own() -> None:
    contents = {"/etc/pldns/dns.pem": b"chain", "/etc/pldns/dns.key": bytes(1 << 20)}
    descriptor = handed_files.hand(contents)
    assert handed_files.take(os.dup(descriptor)) == contents
    assert handed_files.take(descriptor) == contents, "each worker reads from the beginning"
