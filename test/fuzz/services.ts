/** The services that the fuzzers speak to, with the SDK's own client of each. */
import * as ec2 from '@aws-sdk/client-ec2'
import * as sts from '@aws-sdk/client-sts'
import type { WireService } from '#wire/server'
import { services } from '#wire/wire.suite'

export type Subject = { sdk: Record<string, any>; client: string; service: WireService }

export const subjects: Record<'ec2' | 'sts', Subject> = {
  ec2: { sdk: ec2, client: 'EC2Client', service: services[0]! },
  sts: { sdk: sts, client: 'STSClient', service: services[1]! },
}
