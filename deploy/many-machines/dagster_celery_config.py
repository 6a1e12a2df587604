"""Settings of the Celery workers; their unit puts this folder on PYTHONPATH."""

import os

broker_url = os.environ["SMS_ETL_BROKER"]
result_backend = broker_url
broker_connection_retry_on_startup = True

# A worker takes a run when it can begin it, and gives it back if its process is killed.
task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1

# Redis hands a task out again after this long without an answer. Longer than the longest run
# (max_runtime_seconds in dagster.yaml), or a run would be begun twice; a machine that died is
# noticed long before, by assets/celery_launcher.py.
broker_transport_options = {"visibility_timeout": 12 * 3600}

# The process that runs are made in is renewed, so that memory cannot creep.
worker_max_tasks_per_child = 20
