"""Runs in the background that cannot be lost: see `genimg.jobs.manager` for how to use them.

manager.JobManager      what the page and the command line call
supervisor.Supervisor   follows the workers and starts the next ones
engine.LocalEngine      starts, probes and ends processes; launcher is the process around a worker
engines                 the same on clusters and services that others run
index.Index             one row for each job; job.json beside each run is what it is rebuilt from
"""
