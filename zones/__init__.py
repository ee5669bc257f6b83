"""What the private namespace is: names, endpoints, claims, winners, served rows.

Pure: no input or output, no asyncio, sockets, clocks, environment or logging. Time comes in as an
argument. Knows names, endpoints and networks; knows nothing of packets or processes.
"""
