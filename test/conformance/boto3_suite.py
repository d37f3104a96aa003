"""What boto3 users do with EC2, against the endpoint in AWS_ENDPOINT_URL. Prints one JSON line for each case."""
import base64
import datetime
import json
import os
import subprocess
import sys
import tempfile
import unittest

import boto3
from botocore.exceptions import ClientError, WaiterError

# Said to each client: botocore before 1.31 does not read the endpoint from the environment.
HERE = {"endpoint_url": os.environ["AWS_ENDPOINT_URL"]}
ec2 = boto3.client("ec2", **HERE)
resource = boto3.resource("ec2", **HERE)
QUICK = {"Delay": 1, "MaxAttempts": 20}


def image():
    found = ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["debian-12-ec2"]}])
    return found["Images"][0]


def run(**more):
    return ec2.run_instances(**{"ImageId": image()["ImageId"], "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **more})


def launch(**more):
    ids = [i["InstanceId"] for i in run(**more)["Instances"]]
    ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig=QUICK)
    return ids[0]


def terminate(*ids):
    ec2.terminate_instances(InstanceIds=list(ids))
    ec2.get_waiter("instance_terminated").wait(InstanceIds=list(ids), WaiterConfig=QUICK)


def describe(identity):
    return ec2.describe_instances(InstanceIds=[identity])["Reservations"][0]["Instances"][0]


def group(name):
    return ec2.create_security_group(GroupName=name, Description=name)["GroupId"]


class Base(unittest.TestCase):
    maxDiff = None

    def refused(self, code, call, **parameters):
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception


class KeyPairs(Base):
    def fingerprint(self, **options):
        made = ec2.create_key_pair(KeyName="k", **options)
        with tempfile.NamedTemporaryFile("w") as file:
            os.chmod(file.name, 0o600)
            file.write(made["KeyMaterial"])
            file.flush()
            public = subprocess.run(["ssh-keygen", "-y", "-f", file.name], check=True, capture_output=True, text=True).stdout
        shown = ec2.describe_key_pairs(KeyNames=["k"], IncludePublicKey=True)["KeyPairs"][0]
        self.assertEqual(shown["PublicKey"].split()[:2], public.split()[:2])
        self.assertEqual(shown["KeyFingerprint"], made["KeyFingerprint"])
        self.assertEqual(shown["KeyPairId"], made["KeyPairId"])
        ec2.delete_key_pair(KeyName="k")
        self.refused("InvalidKeyPair.NotFound", ec2.describe_key_pairs, KeyNames=["k"])
        return shown

    def test_an_rsa_key_can_be_read_by_ssh(self):
        shown = self.fingerprint()
        self.assertEqual(shown["KeyType"], "rsa")
        self.assertRegex(shown["KeyFingerprint"], "^([0-9a-f]{2}:){19}[0-9a-f]{2}$")

    def test_an_ed25519_key_can_be_read_by_ssh(self):
        self.assertEqual(self.fingerprint(KeyType="ed25519")["KeyType"], "ed25519")

    def test_a_key_made_by_ssh_keygen_is_imported_with_its_fingerprint(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "key")
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
            line = subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True).stdout
            with open(file + ".pub", "rb") as public:
                made = ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=public.read())
        self.assertEqual(made["KeyFingerprint"].rstrip("="), line.split()[1].removeprefix("SHA256:"))
        self.refused("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName="mine")
        self.refused("InvalidKey.Format", ec2.import_key_pair, KeyName="other", PublicKeyMaterial=b"ssh-rsa nonsense")
        resource.KeyPair("mine").delete()
        self.assertNotIn("mine", [k.name for k in resource.key_pairs.all()])


class SecurityGroups(Base):
    def test_rules_are_authorized_listed_and_revoked(self):
        web, db = group("boto-web"), group("boto-db")
        cidr = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}]}
        peer = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": web}]}
        made = ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[cidr])["SecurityGroupRules"]
        ec2.authorize_security_group_ingress(GroupId=db, IpPermissions=[peer])
        self.refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=web, IpPermissions=[cidr])
        shown = ec2.describe_security_groups(GroupIds=[db])["SecurityGroups"][0]["IpPermissions"][0]
        self.assertEqual(shown["UserIdGroupPairs"], [{"GroupId": web, "UserId": os.environ["ACCOUNT"]}])
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [web]}])["SecurityGroupRules"]
        self.assertEqual({(r["IsEgress"], r.get("CidrIpv4")) for r in rules}, {(False, "0.0.0.0/0"), (True, "0.0.0.0/0")})
        ec2.modify_security_group_rules(GroupId=web, SecurityGroupRules=[{
            "SecurityGroupRuleId": made[0]["SecurityGroupRuleId"],
            "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "0.0.0.0/0"}}])
        self.assertEqual(resource.SecurityGroup(web).ip_permissions[0]["FromPort"], 443)
        self.refused("DependencyViolation", ec2.delete_security_group, GroupId=web)
        ec2.revoke_security_group_ingress(GroupId=db, IpPermissions=[peer])
        self.refused("InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=db, IpPermissions=[peer])
        resource.SecurityGroup(web).delete()
        ec2.delete_security_group(GroupId=db)
        self.refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=[web])

    def test_the_flat_form_and_descriptions(self):
        identity = group("boto-flat")
        ec2.authorize_security_group_ingress(GroupName="boto-flat", IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="192.0.2.1/32")
        ec2.update_security_group_rule_descriptions_ingress(GroupId=identity, IpPermissions=[{
            "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.1/32", "Description": "home"}]}])
        ranges = ec2.describe_security_groups(GroupNames=["boto-flat"])["SecurityGroups"][0]["IpPermissions"][0]["IpRanges"]
        self.assertEqual(ranges, [{"CidrIp": "192.0.2.1/32", "Description": "home"}])
        ec2.delete_security_group(GroupName="boto-flat")

    def test_bad_rules_are_refused(self):
        identity = group("boto-bad")
        for cidr in ("10.0.0.0/33", "10.0.0", "300.0.0.0/8", "::/0", ""):
            self.refused("InvalidParameterValue", ec2.authorize_security_group_ingress,
                         GroupId=identity, IpProtocol="tcp", FromPort=1, ToPort=1, CidrIp=cidr)
        self.refused("InvalidGroup.Duplicate", ec2.create_security_group, GroupName="boto-bad", Description="x")
        self.refused("InvalidGroupId.Malformed", ec2.describe_security_groups, GroupIds=["boto-bad"])
        self.assertEqual(resource.SecurityGroup(identity).ip_permissions, [])
        ec2.delete_security_group(GroupId=identity)


class Instances(Base):
    def test_the_life_of_an_instance_by_waiters(self):
        identity = launch(TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "boto"}]}])
        running = describe(identity)
        self.assertEqual(running["State"], {"Code": 16, "Name": "running"})
        ec2.get_waiter("instance_status_ok").wait(InstanceIds=[identity], WaiterConfig=QUICK)
        ec2.stop_instances(InstanceIds=[identity])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[identity], WaiterConfig=QUICK)
        self.assertNotIn("PublicIpAddress", describe(identity))
        ec2.start_instances(InstanceIds=[identity])
        ec2.get_waiter("instance_running").wait(InstanceIds=[identity], WaiterConfig=QUICK)
        again = describe(identity)
        self.assertEqual(again["PrivateIpAddress"], running["PrivateIpAddress"])
        self.assertNotEqual(again["PublicIpAddress"], running["PublicIpAddress"])
        ec2.reboot_instances(InstanceIds=[identity])
        self.assertEqual(describe(identity)["State"]["Name"], "running")
        terminate(identity)
        self.refused("IncorrectInstanceState", ec2.start_instances, InstanceIds=[identity])

    def test_a_waiter_for_what_will_not_come_fails(self):
        identity = launch()
        terminate(identity)
        with self.assertRaises(WaiterError):
            ec2.get_waiter("instance_running").wait(InstanceIds=[identity], WaiterConfig=QUICK)

    def test_the_resource_api(self):
        made = resource.create_instances(ImageId=image()["ImageId"], InstanceType="t3.micro", MinCount=2, MaxCount=2)
        self.assertEqual(len(made), 2)
        for instance in made:
            instance.wait_until_running(WaiterConfig=QUICK)
        first = made[0]
        first.reload()
        self.assertEqual((first.state["Name"], first.instance_type), ("running", "t3.micro"))
        self.assertEqual(first.vpc.is_default, True)
        self.assertEqual([v.size for v in first.volumes.all()], [8])
        self.assertEqual(first.network_interfaces[0].private_ip_address, first.private_ip_address)
        self.assertEqual(first.image.name, "debian-12-ec2")
        first.create_tags(Tags=[{"Key": "role", "Value": "web"}])
        found = resource.instances.filter(Filters=[{"Name": "tag:role", "Values": ["web"]}, {"Name": "instance-state-name", "Values": ["running"]}])
        self.assertEqual([i.id for i in found], [first.id])
        self.assertEqual(first.describe_attribute(Attribute="disableApiTermination")["DisableApiTermination"]["Value"], False)
        resource.instances.filter(InstanceIds=[i.id for i in made]).terminate()
        for instance in made:
            instance.wait_until_terminated(WaiterConfig=QUICK)

    def test_user_data_goes_in_and_out(self):
        script = "#!/bin/bash\necho héllo\n"
        identity = launch(UserData=script)
        value = ec2.describe_instance_attribute(InstanceId=identity, Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(value).decode(), script)
        self.refused("InvalidParameterValue", run, UserData="x" * 16385)
        ec2.stop_instances(InstanceIds=[identity])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[identity], WaiterConfig=QUICK)
        ec2.modify_instance_attribute(InstanceId=identity, UserData={"Value": b"#!/bin/sh\n"})
        value = ec2.describe_instance_attribute(InstanceId=identity, Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(value), b"#!/bin/sh\n")
        ec2.modify_instance_attribute(InstanceId=identity, InstanceType={"Value": "t3.small"})
        self.assertEqual(describe(identity)["InstanceType"], "t3.small")
        terminate(identity)

    def test_attributes_and_protection(self):
        identity = launch()
        ec2.modify_instance_attribute(InstanceId=identity, DisableApiTermination={"Value": True})
        self.refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[identity])
        ec2.modify_instance_attribute(InstanceId=identity, Attribute="disableApiTermination", Value="false")
        ec2.modify_instance_attribute(InstanceId=identity, DisableApiStop={"Value": True})
        self.refused("OperationNotPermitted", ec2.stop_instances, InstanceIds=[identity])
        self.refused("IncorrectInstanceState", ec2.modify_instance_attribute, InstanceId=identity, InstanceType={"Value": "t3.small"})
        other = group("boto-attribute")
        ec2.modify_instance_attribute(InstanceId=identity, Groups=[other])
        self.assertEqual([g["GroupId"] for g in describe(identity)["SecurityGroups"]], [other])
        self.refused("DependencyViolation", ec2.delete_security_group, GroupId=other)
        ec2.modify_instance_metadata_options(InstanceId=identity, HttpTokens="required", HttpPutResponseHopLimit=2)
        options = describe(identity)["MetadataOptions"]
        self.assertEqual((options["HttpTokens"], options["HttpPutResponseHopLimit"]), ("required", 2))
        self.assertEqual(ec2.monitor_instances(InstanceIds=[identity])["InstanceMonitorings"][0]["Monitoring"]["State"], "enabled")
        ec2.modify_instance_credit_specification(InstanceCreditSpecifications=[{"InstanceId": identity, "CpuCredits": "standard"}])
        credits = ec2.describe_instance_credit_specifications(InstanceIds=[identity])["InstanceCreditSpecifications"]
        self.assertEqual(credits, [{"InstanceId": identity, "CpuCredits": "standard"}])
        terminate(identity)
        ec2.delete_security_group(GroupId=other)

    def test_console_output_and_status(self):
        identity = launch()
        self.assertIn("boot", ec2.get_console_output(InstanceId=identity)["Output"])
        ec2.get_waiter("instance_status_ok").wait(InstanceIds=[identity], WaiterConfig=QUICK)
        status = ec2.describe_instance_status(InstanceIds=[identity])["InstanceStatuses"][0]
        self.assertEqual((status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"]), ("ok", "ok"))
        ec2.get_waiter("system_status_ok").wait(InstanceIds=[identity], WaiterConfig=QUICK)
        terminate(identity)
        self.assertEqual(ec2.describe_instance_status(InstanceIds=[identity])["InstanceStatuses"], [])
        every = ec2.describe_instance_status(InstanceIds=[identity], IncludeAllInstances=True)["InstanceStatuses"]
        self.assertEqual(every[0]["InstanceState"]["Name"], "terminated")

    def test_pages(self):
        made = [i["InstanceId"] for i in run(MinCount=12, MaxCount=12)["Instances"]]
        ec2.get_waiter("instance_running").wait(InstanceIds=made, WaiterConfig=QUICK)
        pages = list(ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-state-name", "Values": ["running"]}], PaginationConfig={"PageSize": 5}))
        seen = [i["InstanceId"] for page in pages for r in page["Reservations"] for i in r["Instances"]]
        self.assertEqual((len(pages), sorted(seen)), (3, sorted(made)))
        volumes = ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5}).build_full_result()["Volumes"]
        self.assertEqual({v["Attachments"][0]["InstanceId"] for v in volumes}, set(made))
        terminate(*made)

    def test_what_cannot_be_launched(self):
        self.refused("InvalidAMIID.NotFound", run, ImageId="ami-0123456789abcdef0")
        self.refused("InvalidAMIID.Malformed", run, ImageId="ami")
        self.refused("InvalidKeyPair.NotFound", run, KeyName="nobody")
        self.refused("InvalidGroup.NotFound", run, SecurityGroups=["nobody"])
        self.refused("InvalidParameterValue", run, InstanceType="t99.micro")
        self.refused("UnsupportedOperation", run, InstanceMarketOptions={"MarketType": "spot"})
        error = self.refused("InsufficientInstanceCapacity", run, InstanceType="m7i.48xlarge")
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 500)
        error = self.refused("DryRunOperation", run, DryRun=True)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 412)


class LaunchTemplates(Base):
    def test_a_template_s_versions_and_a_launch(self):
        data = {"ImageId": image()["ImageId"], "InstanceType": "t3.micro"}
        made = ec2.create_launch_template(LaunchTemplateName="boto3", LaunchTemplateData=data)["LaunchTemplate"]
        by_id = {"LaunchTemplateId": made["LaunchTemplateId"]}
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "two"}]}]
        ec2.create_launch_template_version(**by_id, SourceVersion="1", LaunchTemplateData={"TagSpecifications": tags})
        pages = ec2.get_paginator("describe_launch_template_versions").paginate(**by_id, PaginationConfig={"PageSize": 1})
        found = [version for page in pages for version in page["LaunchTemplateVersions"]]
        self.assertEqual([v["LaunchTemplateData"] for v in found], [{**data, "TagSpecifications": tags}, data])
        self.assertEqual([v["DefaultVersion"] for v in found], [False, True])
        ec2.modify_launch_template(**by_id, DefaultVersion="$Latest")
        launched = ec2.run_instances(LaunchTemplate=by_id, MinCount=1, MaxCount=1)["Instances"][0]
        names = {tag["Key"]: tag["Value"] for tag in launched["Tags"]}
        self.assertEqual(names, {"Name": "two", "aws:ec2launchtemplate:id": made["LaunchTemplateId"], "aws:ec2launchtemplate:version": "2"})
        terminate(launched["InstanceId"])
        ec2.delete_launch_template(LaunchTemplateName="boto3")
        self.refused("InvalidLaunchTemplateName.NotFoundException", ec2.describe_launch_templates, LaunchTemplateNames=["boto3"])


class Facts(Base):
    def test_images(self):
        found = image()
        self.assertEqual((found["State"], found["Public"], found["ImageOwnerAlias"]), ("available", True, "amazon"))
        self.assertIn("Debian", found["Description"])
        if ec2.can_paginate("describe_images"):  # Older boto3 reads them at once.
            pages = list(ec2.get_paginator("describe_images").paginate(PaginationConfig={"PageSize": 1}))
            self.assertEqual([len(page["Images"]) for page in pages], [1, 1])
        self.assertEqual(ec2.describe_images(Owners=["self"])["Images"], [])
        ec2.get_waiter("image_available").wait(ImageIds=[found["ImageId"]], WaiterConfig=QUICK)
        snapshot = found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        self.assertEqual(ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"], "completed")

    def test_types(self):
        info = ec2.describe_instance_types(InstanceTypes=["t3.micro"])["InstanceTypes"][0]
        self.assertEqual((info["VCpuInfo"]["DefaultVCpus"], info["MemoryInfo"]["SizeInMiB"], info["FreeTierEligible"]), (2, 1024, True))
        pages = ec2.get_paginator("describe_instance_types").paginate(Filters=[{"Name": "burstable-performance-supported", "Values": ["true"]}])
        names = [t["InstanceType"] for page in pages for t in page["InstanceTypes"]]
        self.assertIn("t3.2xlarge", names)
        self.assertTrue(all(name.startswith("t") for name in names))
        offered = ec2.describe_instance_type_offerings(
            LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}])["InstanceTypeOfferings"]
        self.assertEqual({o["Location"] for o in offered}, {"us-east-1a", "us-east-1b", "us-east-1c"})
        self.refused("InvalidInstanceType", ec2.describe_instance_types, InstanceTypes=["t99.micro"])

    def test_regions_are_apart(self):
        west = boto3.client("ec2", region_name="eu-west-3", **HERE)
        west.create_security_group(GroupName="boto-region", Description="x")
        names = [g["GroupName"] for g in ec2.describe_security_groups()["SecurityGroups"]]
        self.assertNotIn("boto-region", names)
        zones = west.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual([z["ZoneName"] for z in zones], ["eu-west-3a", "eu-west-3b", "eu-west-3c"])
        self.assertIn("eu-west-3", [r["RegionName"] for r in ec2.describe_regions()["Regions"]])

    def test_the_default_network(self):
        vpc = next(iter(resource.vpcs.filter(Filters=[{"Name": "is-default", "Values": ["true"]}])))
        self.assertEqual(vpc.cidr_block, "172.31.0.0/16")
        self.assertEqual(len(list(vpc.subnets.all())), 3)
        self.assertEqual(len(list(vpc.internet_gateways.all())), 1)
        table = next(iter(vpc.route_tables.all()))
        self.assertEqual({r.destination_cidr_block for r in table.routes}, {"172.31.0.0/16", "0.0.0.0/0"})
        self.assertEqual(vpc.describe_attribute(Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"], True)
        self.assertEqual(len(list(vpc.network_acls.all())), 1)
        self.assertEqual([g.group_name for g in vpc.security_groups.filter(GroupNames=["default"])], ["default"])
        ec2.get_waiter("vpc_available").wait(VpcIds=[vpc.id], WaiterConfig=QUICK)
        self.assertEqual(vpc.dhcp_options.id, vpc.dhcp_options_id)

    def test_tags(self):
        identity = group("boto-tags")
        ec2.create_tags(Resources=[identity], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
        tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [identity]}])["Tags"]
        self.assertEqual([(t["Key"], t["Value"], t["ResourceType"]) for t in tags], [("a", "1", "security-group"), ("b", "", "security-group")])
        ec2.delete_tags(Resources=[identity], Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
        self.assertEqual(resource.SecurityGroup(identity).tags, [{"Key": "a", "Value": "1"}])
        self.refused("InvalidParameterValue", ec2.create_tags, Resources=[identity], Tags=[{"Key": "aws:x", "Value": "1"}])
        self.refused("InvalidGroup.NotFound", ec2.create_tags, Resources=["sg-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "1"}])
        self.refused("TagLimitExceeded", ec2.create_tags, Resources=[identity], Tags=[{"Key": str(i), "Value": ""} for i in range(50)])
        ec2.delete_security_group(GroupId=identity)

    def test_who_calls(self):
        me = boto3.client("sts", **HERE).get_caller_identity()
        self.assertEqual((me["Account"], me["Arn"]), (os.environ["ACCOUNT"], f"arn:aws:iam::{os.environ['ACCOUNT']}:root"))

    def test_wrong_credentials(self):
        stranger = boto3.client("ec2", aws_access_key_id="AKIAAAAAAAAAAAAAAAAA", aws_secret_access_key="x" * 40, **HERE)
        self.refused("AuthFailure", stranger.describe_instances)
        impostor = boto3.client("sts", aws_secret_access_key="x" * 40, aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], **HERE)
        self.refused("SignatureDoesNotMatch", impostor.get_caller_identity)

    def test_account(self):
        attributes = ec2.describe_account_attributes(AttributeNames=["supported-platforms"])["AccountAttributes"]
        self.assertEqual(attributes[0]["AttributeValues"], [{"AttributeValue": "VPC"}])
        self.assertEqual(ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"], False)
        if not hasattr(ec2, "modify_instance_metadata_defaults"):  # Unknown to older boto3.
            return
        ec2.modify_instance_metadata_defaults(HttpTokens="required")
        self.assertEqual(ec2.get_instance_metadata_defaults()["AccountLevel"]["HttpTokens"], "required")
        ec2.modify_instance_metadata_defaults(HttpTokens="no-preference")


class Metrics(Base):
    def test_put_and_read(self):
        cloudwatch = boto3.client("cloudwatch", **HERE)
        start = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) - datetime.timedelta(minutes=10)
        data = [{"MetricName": "Load", "Timestamp": start + datetime.timedelta(minutes=i), "Value": i, "Unit": "Percent"} for i in range(3)]
        cloudwatch.put_metric_data(Namespace="Boto", MetricData=data)
        self.assertEqual([m["MetricName"] for m in cloudwatch.list_metrics(Namespace="Boto")["Metrics"]], ["Load"])
        asked = {"Namespace": "Boto", "MetricName": "Load", "StartTime": start, "EndTime": start + datetime.timedelta(minutes=5)}
        found = cloudwatch.get_metric_statistics(Period=60, Statistics=["Average"], **asked)["Datapoints"]
        self.assertEqual(sorted((p["Timestamp"], p["Average"]) for p in found), [(d["Timestamp"], d["Value"]) for d in data])
        self.refused("InvalidParameterValue", cloudwatch.get_metric_statistics, Period=7, Statistics=["Average"], **asked)
        self.refused("UnsupportedOperation", cloudwatch.list_dashboards)


class Lines(unittest.TestResult):
    def tell(self, test, failure=None):
        name = " ".join([type(test).__name__, test._testMethodName.removeprefix("test_").replace("_", " ")])
        print(json.dumps({"name": name, **({"failure": failure} if failure else {})}), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.tell(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.tell(test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.tell(test, self.errors[-1][1])


if __name__ == "__main__":
    result = Lines()
    unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]).run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
