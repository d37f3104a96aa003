/**
 * What AWS's published facts leave open, in one place: services whose prefix differs, S3's actions that are not named as its operations,
 * parameters that are not named as the ARN's or the condition key's variable.
 */

/** Service of ours to its prefix in policies. */
export const PREFIXES: Record<string, string> = { 'resource-groups-tagging-api': 'tag', tagging: 'tag', monitoring: 'cloudwatch' }

/** Operations whose action has another name (Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"). */
export const ACTIONS: Record<string, Record<string, string>> = {
  s3: {
    HeadObject: 'GetObject', HeadBucket: 'ListBucket', ListObjects: 'ListBucket', ListObjectsV2: 'ListBucket', ListObjectVersions: 'ListBucketVersions',
    ListBuckets: 'ListAllMyBuckets', CopyObject: 'PutObject', CreateMultipartUpload: 'PutObject', UploadPart: 'PutObject', UploadPartCopy: 'PutObject',
    CompleteMultipartUpload: 'PutObject', ListParts: 'ListMultipartUploadParts', ListMultipartUploads: 'ListBucketMultipartUploads',
    DeleteObjects: 'DeleteObject', GetObjectAttributes: 'GetObject', SelectObjectContent: 'GetObject', GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
    PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration', DeleteBucketLifecycle: 'PutLifecycleConfiguration',
    GetBucketLifecycle: 'GetLifecycleConfiguration', PutBucketLifecycle: 'PutLifecycleConfiguration', GetBucketEncryption: 'GetEncryptionConfiguration',
    PutBucketEncryption: 'PutEncryptionConfiguration', DeleteBucketEncryption: 'PutEncryptionConfiguration', GetBucketCors: 'GetBucketCORS',
    PutBucketCors: 'PutBucketCORS', DeleteBucketCors: 'PutBucketCORS', DeleteBucketTagging: 'PutBucketTagging', DeletePublicAccessBlock: 'PutBucketPublicAccessBlock',
    GetPublicAccessBlock: 'GetBucketPublicAccessBlock', PutPublicAccessBlock: 'PutBucketPublicAccessBlock', GetBucketNotificationConfiguration: 'GetBucketNotification',
    PutBucketNotificationConfiguration: 'PutBucketNotification', GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
    PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration', DeleteBucketOwnershipControls: 'PutBucketOwnershipControls',
    GetBucketReplication: 'GetReplicationConfiguration', PutBucketReplication: 'PutReplicationConfiguration', DeleteBucketReplication: 'PutReplicationConfiguration',
    GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration', PutBucketAccelerateConfiguration: 'PutAccelerateConfiguration',
    GetBucketAnalyticsConfiguration: 'GetAnalyticsConfiguration', GetBucketInventoryConfiguration: 'GetInventoryConfiguration',
    GetBucketMetricsConfiguration: 'GetMetricsConfiguration', ListBucketAnalyticsConfigurations: 'GetAnalyticsConfiguration',
    ListBucketInventoryConfigurations: 'GetInventoryConfiguration', ListBucketMetricsConfigurations: 'GetMetricsConfiguration',
  },
}
/** With a version id these become actions on versions. */
export const ON_VERSIONS = new Set(['GetObject', 'DeleteObject', 'GetObjectAcl', 'PutObjectAcl', 'GetObjectTagging', 'PutObjectTagging', 'DeleteObjectTagging'])

/** Asked of everybody, or of the role's own policy and so by the action itself (API Reference: GetCallerIdentity, GetSessionToken, AssumeRole). */
export const FREE = new Set(['sts:GetCallerIdentity', 'sts:GetSessionToken', 'sts:AssumeRole', 'sts:AssumeRoleWithWebIdentity', 'sts:AssumeRoleWithSAML'])

/** ARN variables to the parameters that hold them, where the names differ. */
export const VARIABLES: Record<string, string[]> = {
  SecurityGroupId: ['GroupId', 'GroupIds', 'Groups', 'SecurityGroups', 'AddSecurityGroupIds', 'RemoveSecurityGroupIds'], KeyPairName: ['KeyName', 'KeyNames'], NaclId: ['NetworkAclId', 'NetworkAclIds'],
  UserNameWithPath: ['UserName'], RoleNameWithPath: ['RoleName', 'RoleArn'], GroupNameWithPath: ['GroupName'], PolicyNameWithPath: ['PolicyArn', 'PolicyName'],
  InstanceProfileNameWithPath: ['InstanceProfileName'], MfaTokenIdWithPath: ['SerialNumber', 'VirtualMFADeviceName'],
  OidcProviderName: ['OpenIDConnectProviderArn'], BucketName: ['Bucket'], ObjectName: ['Key'], ParameterNameWithoutLeadingSlash: ['Name', 'Names', 'Path'],
  RouteTableId: ['AddRouteTableIds', 'RemoveRouteTableIds'], SubnetId: ['AddSubnetIds', 'RemoveSubnetIds'], VpcFlowLogId: ['FlowLogIds'],
  SnapshotId: ['SourceSnapshotIds'],
  FederatedUserName: ['Name'], PlacementGroupName: ['GroupName'], SpotInstanceRequestId: ['SpotInstanceRequestIds'], AlarmName: ['ResourceARN'],
}
/** Resource types that a request's names do not mean. */
export const NOT_MEANT: Record<string, string[]> = {
  s3: ['accesspoint', 'accesspointobject', 'objectlambdaaccesspoint'],
  ec2: ['group'],
}

/** Resources that a call always makes, though not every account's calls did when the facts were written down. */
export const ALWAYS: Record<string, string[]> = { 'ec2:RunInstances': ['volume'] }

/** Structures of a request in which ids stand that the call is about. */
export const WITHIN = [
  'NetworkInterfaces', 'BlockDeviceMappings', 'Ebs', 'LaunchTemplate', 'Placement', 'MetadataOptions', 'IamInstanceProfile', 'SecurityGroupRules',
  'InstanceCreditSpecifications', 'CreateBucketConfiguration',
]

/** Lists of which each item makes a resource of its own, which must be allowed with what is said of it alone: action, resource type, list. */
export const PARTS: Record<string, Record<string, string>> = {
  'ec2:RunInstances': { volume: 'BlockDeviceMappings', 'network-interface': 'NetworkInterfaces' },
}

/** Condition keys to parameters, where the names differ. */
export const KEYS: Record<string, string[]> = {
  'ec2:volumesize': ['VolumeSize', 'Size'], 'ec2:volumeiops': ['Iops'], 'ec2:volumethroughput': ['Throughput'], 'ec2:metadatahttptokens': ['HttpTokens'],
  'ec2:metadatahttpendpoint': ['HttpEndpoint'], 'ec2:metadatahttpputresponsehoplimit': ['HttpPutResponseHopLimit'],
  'ec2:instancemetadatatags': ['InstanceMetadataTags'], 'ec2:associatepublicipaddress': ['AssociatePublicIpAddress'], 'ec2:imageid': ['ImageId'],
  'ec2:keypairname': ['KeyName'], 'ec2:keypairtype': ['KeyType'], 's3:x-amz-acl': ['ACL'], 's3:x-amz-server-side-encryption': ['ServerSideEncryption'],
  's3:x-amz-storage-class': ['StorageClass'], 's3:x-amz-copy-source': ['CopySource'], 's3:x-amz-metadata-directive': ['MetadataDirective'], 's3:versionid': ['VersionId'],
  's3:x-amz-grant-full-control': ['GrantFullControl'], 's3:x-amz-grant-read': ['GrantRead'], 's3:x-amz-grant-read-acp': ['GrantReadACP'],
  's3:x-amz-grant-write': ['GrantWrite'], 's3:x-amz-grant-write-acp': ['GrantWriteACP'], 's3:x-amz-object-ownership': ['ObjectOwnership'],
  's3:x-amz-server-side-encryption-aws-kms-key-id': ['SSEKMSKeyId'], 's3:x-amz-server-side-encryption-customer-algorithm': ['SSECustomerAlgorithm'],
  's3:x-amz-website-redirect-location': ['WebsiteRedirectLocation'], 's3:locationconstraint': ['LocationConstraint'],
  's3:object-lock-legal-hold': ['ObjectLockLegalHoldStatus'],
}

/** Ids of EC2 to the resource types of their records, for actions that take ids of any kind. */
export const ID_PREFIXES: Record<string, string> = {
  i: 'instance', vol: 'volume', snap: 'snapshot', ami: 'image', sg: 'security-group', sgr: 'security-group-rule', subnet: 'subnet', vpc: 'vpc',
  eni: 'network-interface', rtb: 'route-table', igw: 'internet-gateway', acl: 'network-acl', dopt: 'dhcp-options', eipalloc: 'elastic-ip', nat: 'natgateway',
  pcx: 'vpc-peering-connection', key: 'key-pair', lt: 'launch-template', vpce: 'vpc-endpoint', pl: 'prefix-list', fl: 'vpc-flow-log',
  eigw: 'egress-only-internet-gateway', pg: 'placement-group', cr: 'capacity-reservation',
}

type Spec = Record<string, any>
type Where = { account: string; region: string }
const vpcArn = (id: unknown, { account, region }: Where): string => `arn:aws:ec2:${region}:${account}:vpc/${String(id)}`
const subnetArn = (id: unknown, { account, region }: Where): string => `arn:aws:ec2:${region}:${account}:subnet/${String(id)}`

/** What a record of EC2 says to condition keys, by resource type. */
export const RECORD_KEYS: Record<string, (spec: Spec, where: Where) => Record<string, unknown>> = {
  instance: (spec, where) => ({
    'ec2:InstanceType': spec.type, 'ec2:AvailabilityZone': spec.zone, 'ec2:Tenancy': 'default', 'ec2:EbsOptimized': spec.ebsOptimized,
    'ec2:RootDeviceType': 'ebs', 'ec2:MetadataHttpTokens': spec.metadata?.tokens, 'ec2:MetadataHttpEndpoint': spec.metadata?.endpoint,
    'ec2:MetadataHttpPutResponseHopLimit': spec.metadata?.hopLimit, 'ec2:InstanceMetadataTags': spec.metadata?.tags, 'ec2:InstanceProfile': spec.profile?.arn,
    'ec2:Vpc': vpcArn(spec.vpc, where),
  }),
  volume: spec => ({
    'ec2:VolumeType': spec.type, 'ec2:VolumeSize': spec.sizeGiB, 'ec2:VolumeIops': spec.iops, 'ec2:VolumeThroughput': spec.throughput,
    'ec2:AvailabilityZone': spec.zone, 'ec2:Encrypted': spec.encrypted ?? false,
  }),
  subnet: (spec, where) => ({ 'ec2:Vpc': vpcArn(spec.vpc, where), 'ec2:AvailabilityZone': spec.zone }),
  'security-group': (spec, where) => ({ 'ec2:Vpc': vpcArn(spec.vpc, where) }),
  'network-interface': (spec, where) => ({ 'ec2:Vpc': vpcArn(spec.vpc, where), 'ec2:Subnet': subnetArn(spec.subnet, where) }),
  image: (_, where) => ({ 'ec2:Owner': where.account === '' ? 'amazon' : where.account, 'ec2:Public': true, 'ec2:ImageType': 'machine', 'ec2:RootDeviceType': 'ebs' }),
  'key-pair': spec => ({ 'ec2:KeyPairName': spec.name, 'ec2:KeyPairType': spec.type }),
}
