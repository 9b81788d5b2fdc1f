"""The sandbox replay: Amazon's static cases through the gateway and the simulated Amazon, as two devices."""
