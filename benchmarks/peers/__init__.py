"""The proxies that the gateway is measured beside, one a file: each with one worker, and set up as it is in production.

That is: connections to the app kept alive, the client's address passed on, no access log. What cannot be had on a
machine is left out, and the benchmarks say so.
"""
