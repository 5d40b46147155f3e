"""What starts the functions, and takes what was given up, created from template.yaml's own facts.

Nothing of it starts anything by itself: moto plays no clock. The commands read and change it as they do in AWS.
"""

from typing import Any

from local.environment import DEAD_LETTERS, RULE, SCHEDULE_GROUP
from local.tables import resources_of


def create_triggers(events: Any, scheduler: Any, sqs: Any) -> None:
    """The default persona's rule, the personas' schedule group and the dead-letter queue, by boto3 clients."""
    resources = resources_of()
    rule = resources["PostNextBest"]["Properties"]["Events"]["Schedule"]["Properties"]
    events.put_rule(
        Name=RULE,
        ScheduleExpression=rule["Schedule"],
        Description=rule["Description"],
        State="ENABLED" if rule["Enabled"] else "DISABLED",
    )
    scheduler.create_schedule_group(Name=SCHEDULE_GROUP)
    seconds = resources[DEAD_LETTERS]["Properties"]["MessageRetentionPeriod"]
    sqs.create_queue(QueueName=DEAD_LETTERS, Attributes={"MessageRetentionPeriod": str(seconds)})
