"""What a build step needs to reach the network: proxies and a private CA, told as one secret.

Both belong to the machine that builds, so neither may change the context, its digest or a layer.
The secret is a shell script, and there only if the builder was given it: a context builds without.
"""

ID = "imagegen-network"

MOUNT = f"--mount=type=secret,id={ID}"
"""Mounts the secret, where there is one, for a RUN that may download."""

ENTER = f"if [ -s /run/secrets/{ID} ]; then . /run/secrets/{ID}; fi"
"""First shell line of such a RUN, as root: sets the variables for all that follow."""
