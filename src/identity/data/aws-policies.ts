/**
 * AWS managed policies that the services here need: their names, paths and what they allow, as facts in our own statements.
 * Source: AWS Managed Policy Reference Guide, one page for each name. Actions of services that are not here are left out.
 */
export type AwsPolicy = { name: string; path: string; description: string; id: string; document: Document }
type Statement = { Effect: 'Allow' | 'Deny'; Action: string | string[]; Resource: string | string[]; Condition?: Record<string, Record<string, string | string[]>> }
type Document = { Version: '2012-10-17'; Statement: Statement[] }

const allow = (Action: string | string[], Resource: string | string[] = '*', Condition?: Statement['Condition']): Statement =>
  ({ Effect: 'Allow', Action, Resource, ...(Condition && { Condition }) })
const linked = (...services: string[]) => allow('iam:CreateServiceLinkedRole', '*', { StringEquals: { 'iam:AWSServiceName': services } })

type Fact = [name: string, description: string, statements: Statement[], path?: string]
const SUPPORT = '/service-role/'
const JOB = '/job-function/'

const READ_ONLY = [
  'ec2:Describe*', 'ec2:Get*', 'ec2:List*', 'ec2:Search*', 'ec2:ExportClientVpn*', 'iam:Get*', 'iam:List*', 'iam:Generate*', 'iam:Simulate*',
  's3:Get*', 's3:List*', 's3:Describe*', 'ssm:Describe*', 'ssm:Get*', 'ssm:List*', 'sts:GetAccessKeyInfo', 'sts:GetCallerIdentity',
  'sts:GetSessionToken', 'tag:Get*', 'tag:Describe*', 'cloudtrail:Describe*', 'cloudtrail:Get*', 'cloudtrail:List*', 'cloudtrail:LookupEvents',
  'dlm:Get*', 'dlm:List*', 'ebs:List*', 'elasticloadbalancing:Describe*', 'autoscaling:Describe*', 'cloudwatch:Describe*', 'cloudwatch:Get*',
  'cloudwatch:List*', 'logs:Describe*', 'logs:Get*', 'logs:FilterLogEvents', 'kms:Describe*', 'kms:Get*', 'kms:List*',
  'elasticfilesystem:Describe*', 'elasticfilesystem:List*', 'resource-groups:Get*', 'resource-groups:List*', 'resource-groups:Search*',
]

const facts: Fact[] = [
  ['AdministratorAccess', 'Provides full access to AWS services and resources.', [allow('*')]],
  ['PowerUserAccess', 'Full access to services and resources, without the management of users and groups.', [
    { Effect: 'Allow', Resource: '*', NotAction: ['iam:*', 'organizations:*', 'account:*'] } as unknown as Statement,
    allow(['iam:CreateServiceLinkedRole', 'iam:DeleteServiceLinkedRole', 'iam:ListRoles', 'organizations:DescribeOrganization', 'account:ListRegions']),
  ]],
  ['ReadOnlyAccess', 'Read-only access to AWS services and resources.', [allow(READ_ONLY)]],
  ['ViewOnlyAccess', 'Resources and basic metadata of all services.', [allow([
    'ec2:Describe*', 'iam:Get*', 'iam:List*', 's3:ListAllMyBuckets', 's3:ListBucket', 'autoscaling:Describe*', 'cloudwatch:Describe*', 'cloudwatch:Get*',
    'cloudwatch:List*', 'cloudtrail:DescribeTrails', 'cloudtrail:LookupEvents', 'elasticloadbalancing:Describe*',
  ])], JOB],
  ['SecurityAudit', 'Reads the configuration that security depends on.', [allow([
    'ec2:Describe*', 'ec2:Get*', 'iam:GenerateCredentialReport', 'iam:GenerateServiceLastAccessedDetails', 'iam:Get*', 'iam:List*', 'iam:SimulateCustomPolicy',
    'iam:SimulatePrincipalPolicy', 's3:GetBucket*', 's3:GetAccountPublicAccessBlock', 's3:ListAllMyBuckets', 'ssm:Describe*', 'ssm:ListTagsForResource',
    'tag:GetResources', 'tag:GetTagKeys', 'cloudtrail:Describe*', 'cloudtrail:Get*', 'cloudtrail:List*', 'cloudtrail:LookupEvents',
  ])]],
  ['AmazonEC2FullAccess', 'Full access to Amazon EC2.', [
    allow(['ec2:*', 'elasticloadbalancing:*', 'cloudwatch:*', 'autoscaling:*']),
    linked('autoscaling.amazonaws.com', 'ec2scheduled.amazonaws.com', 'elasticloadbalancing.amazonaws.com', 'spot.amazonaws.com', 'spotfleet.amazonaws.com',
      'transitgateway.amazonaws.com'),
  ]],
  ['AmazonEC2ReadOnlyAccess', 'Read-only access to Amazon EC2.', [
    allow(['ec2:Describe*', 'ec2:GetSecurityGroupsForVpc', 'elasticloadbalancing:Describe*', 'autoscaling:Describe*']),
    allow(['cloudwatch:ListMetrics', 'cloudwatch:GetMetricStatistics', 'cloudwatch:Describe*']),
  ]],
  ['AmazonVPCFullAccess', 'Full access to Amazon VPC.', [allow([
    'ec2:AcceptVpcPeeringConnection', 'ec2:AllocateAddress', 'ec2:Assign*', 'ec2:Associate*', 'ec2:Attach*', 'ec2:AuthorizeSecurityGroup*', 'ec2:Create*',
    'ec2:Delete*', 'ec2:Describe*', 'ec2:Detach*', 'ec2:Disable*', 'ec2:Disassociate*', 'ec2:Enable*', 'ec2:Modify*', 'ec2:Move*', 'ec2:RejectVpc*',
    'ec2:ReleaseAddress', 'ec2:Replace*', 'ec2:Reset*', 'ec2:Restore*', 'ec2:RevokeSecurityGroup*', 'ec2:Unassign*', 'ec2:UpdateSecurityGroup*',
    'ec2:GetSecurityGroupsForVpc',
  ])]],
  ['AmazonVPCReadOnlyAccess', 'Read-only access to Amazon VPC.', [allow(['ec2:Describe*', 'ec2:GetSecurityGroupsForVpc'])]],
  ['AmazonS3FullAccess', 'Full access to all buckets.', [allow(['s3:*', 's3-object-lambda:*'])]],
  ['AmazonS3ReadOnlyAccess', 'Read-only access to all buckets.', [allow([
    's3:Get*', 's3:List*', 's3:Describe*', 's3-object-lambda:Get*', 's3-object-lambda:List*',
  ])]],
  ['IAMFullAccess', 'Full access to IAM.', [allow(['iam:*', 'organizations:DescribeAccount', 'organizations:ListPolicies'])]],
  ['IAMReadOnlyAccess', 'Read-only access to IAM.', [allow([
    'iam:GenerateCredentialReport', 'iam:GenerateServiceLastAccessedDetails', 'iam:Get*', 'iam:List*', 'iam:SimulateCustomPolicy', 'iam:SimulatePrincipalPolicy',
  ])]],
  ['IAMUserChangePassword', 'Lets a user change its own password.', [
    allow('iam:ChangePassword', 'arn:aws:iam::*:user/${aws:username}'), allow('iam:GetAccountPasswordPolicy'),
  ]],
  ['IAMSelfManageServiceSpecificCredentials', 'Lets a user manage its own service-specific credentials.', [
    allow(['iam:CreateServiceSpecificCredential', 'iam:ListServiceSpecificCredentials', 'iam:UpdateServiceSpecificCredential',
      'iam:DeleteServiceSpecificCredential', 'iam:ResetServiceSpecificCredential'], 'arn:aws:iam::*:user/${aws:username}'),
  ]],
  ['AmazonSSMFullAccess', 'Full access to Systems Manager.', [allow(['cloudwatch:PutMetricData', 'logs:*', 'ssm:*', 'ec2messages:*', 'ec2:DescribeInstanceStatus'])]],
  ['AmazonSSMReadOnlyAccess', 'Read-only access to Systems Manager.', [allow(['ssm:Describe*', 'ssm:Get*', 'ssm:List*'])]],
  ['AmazonSSMManagedInstanceCore', 'What an instance needs to be managed by Systems Manager.', [
    allow(['ssm:DescribeAssociation', 'ssm:GetDeployablePatchSnapshotForInstance', 'ssm:GetDocument', 'ssm:DescribeDocument', 'ssm:GetManifest',
      'ssm:GetParameter', 'ssm:GetParameters', 'ssm:ListAssociations', 'ssm:ListInstanceAssociations', 'ssm:PutInventory', 'ssm:PutComplianceItems',
      'ssm:PutConfigurePackageResult', 'ssm:UpdateAssociationStatus', 'ssm:UpdateInstanceAssociationStatus', 'ssm:UpdateInstanceInformation']),
    allow(['ssmmessages:CreateControlChannel', 'ssmmessages:CreateDataChannel', 'ssmmessages:OpenControlChannel', 'ssmmessages:OpenDataChannel']),
    allow(['ec2messages:AcknowledgeMessage', 'ec2messages:DeleteMessage', 'ec2messages:FailMessage', 'ec2messages:GetEndpoint', 'ec2messages:GetMessages',
      'ec2messages:SendReply']),
  ]],
  ['CloudWatchAgentServerPolicy', 'What the CloudWatch agent on an instance needs.', [
    allow(['cloudwatch:PutMetricData', 'ec2:DescribeVolumes', 'ec2:DescribeTags', 'logs:PutLogEvents', 'logs:PutRetentionPolicy', 'logs:DescribeLogStreams',
      'logs:DescribeLogGroups', 'logs:CreateLogStream', 'logs:CreateLogGroup']),
    allow('ssm:GetParameter', 'arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*'),
  ]],
  ['AWSCloudTrail_ReadOnlyAccess', 'Read-only access to CloudTrail.', [allow(['cloudtrail:Get*', 'cloudtrail:Describe*', 'cloudtrail:List*', 'cloudtrail:LookupEvents'])]],
  ['ResourceGroupsandTagEditorFullAccess', 'Full access to resource groups and the tag editor.', [
    allow(['resource-groups:*', 'tag:*', 'ec2:CreateTags', 'ec2:DeleteTags', 'ec2:Describe*']),
  ]],
  ['ResourceGroupsandTagEditorReadOnlyAccess', 'Read-only access to resource groups and the tag editor.', [
    allow(['resource-groups:Get*', 'resource-groups:List*', 'resource-groups:Search*', 'tag:Get*', 'ec2:Describe*']),
  ]],
  ['AWSDataLifecycleManagerServiceRole', 'What Data Lifecycle Manager needs for snapshots.', [
    allow(['ec2:CreateSnapshot', 'ec2:CreateSnapshots', 'ec2:DeleteSnapshot', 'ec2:DescribeInstances', 'ec2:DescribeVolumes', 'ec2:DescribeSnapshots',
      'ec2:DescribeAvailabilityZones', 'ec2:DescribeRegions', 'ec2:EnableFastSnapshotRestores', 'ec2:DescribeFastSnapshotRestores',
      'ec2:DisableFastSnapshotRestores', 'ec2:CopySnapshot', 'ec2:ModifySnapshotAttribute', 'ec2:DescribeSnapshotAttribute', 'ec2:ModifySnapshotTier',
      'ec2:DescribeSnapshotTierStatus']),
    allow('ec2:CreateTags', 'arn:aws:ec2:*::snapshot/*'),
  ], SUPPORT],
]

/** Ids are stable: they follow from the place in this list, which only grows at its end. */
const idOf = (index: number): string => `ANPAENCLUMEAWSPOL${String(index).padStart(3, '0').replace(/[01]/g, digit => (digit === '0' ? 'A' : 'B'))}A`

export const AWS_POLICIES: AwsPolicy[] = facts.map(([name, description, Statement, path = '/'], index) =>
  ({ name, path, description, id: idOf(index), document: { Version: '2012-10-17', Statement } }))
