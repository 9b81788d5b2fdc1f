"""The quota: desktops of one seller that work through long lists at several gateways, one of which is killed.

Opens a stack of its own with several replicas of the gateway, gives getOrders a plan, and judges by what
the simulated Amazon recorded: no call over the plan, every call done, the plan used up, people first.

`command` the options · `show` the order of events · `stage` what runs · `desks` who calls · `record` the
simulated Amazon's record · `verdict` the arithmetic, and the outcome as Markdown
"""
