"""Deterministic scheduling: the services' use cases in one process, on a seeded loop, with faults.

The same seed gives the same trace. Sockets, threads and the wall clock do not exist here; whatever the use
cases need from outside comes through their ports, and behind each port stands a fake that passed the contract
suite of the real part. From the ground up:

    loop, clock, trace              order and time from a seed
    faults, ports, nodes, wire      what may happen to a step; processes that die; calls between them
    engines, orders, amazon         what is durable; the simulated Amazon
    invariants, book, watching      what must hold, and who looks
    houses/, world                  one process of each service; all of them together
    people, profiles, desktops      who uses it
    scenario, inspection            the story, and the look at its end
    run, report, command            `sallyport simulate`
"""
