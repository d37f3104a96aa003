/** The services that the fuzzers speak to, with the SDK's own client of each. */
import * as cloudtrail from '@aws-sdk/client-cloudtrail'
import * as cloudwatch from '@aws-sdk/client-cloudwatch'
import * as dlm from '@aws-sdk/client-dlm'
import * as ebs from '@aws-sdk/client-ebs'
import * as ec2 from '@aws-sdk/client-ec2'
import * as connect from '@aws-sdk/client-ec2-instance-connect'
import * as iam from '@aws-sdk/client-iam'
import * as tagging from '@aws-sdk/client-resource-groups-tagging-api'
import * as s3 from '@aws-sdk/client-s3'
import * as ssm from '@aws-sdk/client-ssm'
import * as sts from '@aws-sdk/client-sts'
import { errorsOf, operationsOf } from '#kit/schema'
import { wires } from '#service/index'
import type { WireService } from '#wire/server'

export type Subject = {
  sdk: Record<string, any>; client: string; service: WireService
  /** Makes a random input or output one that the SDK sends or reads as it is. */
  adapt?(value: Record<string, unknown>): void
  /** Operations that are not sent. */
  without?: readonly string[]
}

/** A service as the wire serves it. */
const plain = (id: keyof typeof wires, sdk: Record<string, any>, client: string): Subject =>
  ({ sdk, client, service: { id, ...wires[id], operations: operationsOf(sdk), errors: errorsOf(sdk) } })

export const subjects = {
  ec2: plain('ec2', ec2, 'EC2Client'),
  sts: plain('sts', sts, 'STSClient'),
  iam: plain('iam', iam, 'IAMClient'),
  s3: {
    ...plain('s3', s3, 'S3Client'),
    adapt(value) {
      if ('Bucket' in value) value.Bucket = 'a-bucket'
      // The SDK computes with these, or derives one from another.
      for (const name of Object.keys(value)) if (/^Checksum|SSECustomer|ContentMD5|^Expires(String)?$/.test(name)) delete value[name]
      // Header names have no case, and every answer with a body has a content type.
      if (value.Metadata || 'AcceptRanges' in value) value.Metadata = { 'key-1': 'one', 'key 2': 'e, "two"' }
      if ('AcceptRanges' in value) value.ContentType = 'text/x-test'
    },
    // Event streams, and those for which the client makes a session or another host first.
    without: ['SelectObjectContent', 'WriteGetObjectResponse', 'CreateSession', 'ListDirectoryBuckets'],
  },
  ssm: plain('ssm', ssm, 'SSMClient'),
  cloudtrail: plain('cloudtrail', cloudtrail, 'CloudTrailClient'),
  connect: plain('ec2-instance-connect', connect, 'EC2InstanceConnectClient'),
  tagging: plain('tagging', tagging, 'ResourceGroupsTaggingAPIClient'),
  ebs: plain('ebs', ebs, 'EBSClient'),
  dlm: plain('dlm', dlm, 'DLMClient'),
  monitoring: plain('monitoring', cloudwatch, 'CloudWatchClient'),
} satisfies Record<string, Subject>
