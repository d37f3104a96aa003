/** Requests on instance profiles, over a profile of IAM's with a role. */
import { AddRoleToInstanceProfileCommand, CreateInstanceProfileCommand, CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import * as sdk from '@aws-sdk/client-ec2'
import type { Bench } from './kit.ts'
import { keys } from './server.ts'

const TRUST = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}'

/** Gives one instance a profile; requests to give another one, to replace and to take away. */
export async function prepareProfileSamples({ server, ec2 }: Bench, { having,
  without }: { having: string; without: string }): Promise<Record<string, object>> {
  const iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  const InstanceProfileName = 'sample'
  try {
    await iam.send(new CreateRoleCommand({ RoleName: 'sample', AssumeRolePolicyDocument: TRUST }))
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName }))
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: 'sample' }))
  } finally {
    iam.destroy()
  }
  const IamInstanceProfile = { Name: InstanceProfileName }
  const made = await ec2.send(new sdk.AssociateIamInstanceProfileCommand({ InstanceId: having, IamInstanceProfile }))
  const { AssociationId } = made.IamInstanceProfileAssociation!
  return {
    AssociateIamInstanceProfile: { InstanceId: without, IamInstanceProfile }, DisassociateIamInstanceProfile: { AssociationId },
    ReplaceIamInstanceProfileAssociation: { AssociationId, IamInstanceProfile },
    DescribeIamInstanceProfileAssociations: { AssociationIds: [AssociationId!] },
  }
}
