"""The herd: thousands of sellers whose access tokens end in the same second, and replicas that are killed.

Opens a stack of its own with several replicas of auth, makes the sellers, lets their tokens end, and judges
by what the simulated Amazon recorded: one refresh each, no call over LWA's plan, nobody taken for gone.

`command` the options · `show` the order of events · `stage` what runs · `sellers` who they are · `amazon` the
simulated Amazon's controls · `callers` who asks for tokens · `kills` · `verdict` the arithmetic · `report`
"""
