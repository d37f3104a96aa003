/** The services that the fuzzers and the wire's tests speak to: their SDK modules and what the wire must know of each. */
import * as ec2 from '@aws-sdk/client-ec2'
import * as sts from '@aws-sdk/client-sts'
import { errorsOf, operationsOf } from '#kit/schema'
import type { WireService } from '#wire/server'

export type Subject = { sdk: Record<string, any>; client: string; service: WireService }

export const subjects: Record<'ec2' | 'sts', Subject> = {
  ec2: {
    sdk: ec2, client: 'EC2Client',
    service: {
      id: 'ec2', signingName: 'ec2', version: '2016-11-15', xmlns: 'http://ec2.amazonaws.com/doc/2016-11-15/', protocol: 'ec2Query',
      operations: operationsOf(ec2), errors: errorsOf(ec2),
    },
  },
  sts: {
    sdk: sts, client: 'STSClient',
    service: {
      id: 'sts', signingName: 'sts', version: '2011-06-15', xmlns: 'https://sts.amazonaws.com/doc/2011-06-15/', protocol: 'awsQuery',
      operations: operationsOf(sts), errors: errorsOf(sts),
    },
  },
}
