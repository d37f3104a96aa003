"""EC2's data source in a system container.

cloud-init reads no DMI tables inside a container, so its own Ec2 source would not learn that this is EC2 and would ask for
no IMDSv2 token. This one is the same source, told so.
"""

from cloudinit import sources, util
from cloudinit.sources import DataSourceEc2 as ec2

# Before its first request cloud-init asks the resolver for three names that don't exist, to find out whether it lies. The
# service's address is a number, and where the host has no resolver these questions would cost fourteen seconds of boot.
util._DNS_REDIRECT_IP = set()


class DataSourceEc2Container(ec2.DataSourceEc2):
    def _get_cloud_name(self):
        return ec2.CloudNames.AWS

    @property
    def network_config(self):
        """None: systemd-networkd does it. The inherited one may ask the service before there is a network, for five seconds."""
        return None


def get_datasource_list(depends):
    needs = (sources.DEP_FILESYSTEM, sources.DEP_NETWORK)
    return sources.list_from_depends(depends, [(DataSourceEc2Container, needs)])
