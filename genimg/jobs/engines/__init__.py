"""Where runs can be trained besides this machine: on clusters and services that others run.

registry.ENGINES        what there is, by name, and what each must be told
configured.Engines      this machine and what a folder of runs was told of, as one engine
remote.RemoteEngine     makes an engine of a cluster: the rules that all of them share
cluster.Cluster         what is asked of a cluster, by calls that may wait for the network
ray_jobs, slurm         the clusters; none is imported before it is used
meeting                 whether a cluster sees the same files
"""
