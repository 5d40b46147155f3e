"""The chaos soak: weeks of schedules in minutes, with a fifth of all calls failing, and then the reckoning.

The real handlers run in worker processes against DynamoDB Local, moto (S3, SSM) and the Instagram emulator, on one
virtual clock: it stands still while any run works and goes to the next event when all of them sleep. Nobody waits for
real, and yet runs that are due at the same instant truly race each other.

What goes wrong, and where it is made:

- `instagram_faults`: what Instagram answers, or fails to, by the emulator;
- `own_faults` and `http_layers`: what our own side suffers: deaths (by an exception that nothing catches, and by
  SIGKILL), time-outs, requests and writes that take effect late or twice, lost answers of DynamoDB, throttling;
- `timetable` and `triggers`: what AWS does: doubled, late and far too late deliveries, overlapping reconcilers, runs
  with hardly any time left; and what befalls the account: containers that stick, expire or fail, expired tokens.

Draws depend on the seed, on a run's own name and on its own count of calls. Runs of the same instant are real
processes, and which of them comes first is not the seed's to say: two soaks of one seed agree in kind, not in each
count.

Two lies are never told, because no design can stand them: a *definite* refusal (a throttle, a dead token, a refused
photo) for a request that did take effect, and a container that says PUBLISHED while it is not. And no process comes
back after its hard deadline, as Lambda's do not.
"""

from local.soak.reckoning import Reckoning
from local.soak.soak import Soak, run_soak

__all__ = ["Reckoning", "Soak", "run_soak"]
