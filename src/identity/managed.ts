/** Managed policies by ARN: an account's own, and those of AWS that Enclume knows. */
import { AWS_POLICIES, type AwsPolicy } from '#identity/data/aws-policies'
import { policies, type PolicyRow } from '#identity/records'
import type { Reader } from '#store/store'

export type Managed = { arn: string; name: string; path: string; document: string; row?: PolicyRow; aws?: AwsPolicy }

const AWS = 'arn:aws:iam::aws:policy'
const byArn = new Map<string, Managed>(AWS_POLICIES.map(policy => {
  const arn = `${AWS}${policy.path}${policy.name}`
  return [arn, { arn, name: policy.name, path: policy.path, document: JSON.stringify(policy.document), aws: policy }]
}))

export const awsManaged = (): Managed[] => [...byArn.values()]

const OWN = /^arn:aws:iam::(\d{12}):policy(\/(?:[\x21-\x7e]*\/)?)([\w+=,.@-]+)$/

export const managedOf = (row: PolicyRow): Managed => ({
  arn: policies.arn(row), name: row.spec.name, path: row.spec.path, row,
  document: row.spec.versions.find(version => version.id === row.spec.chosen)!.document,
})

/** The policy of an ARN that this account may attach: AWS's, or its own. */
export async function findPolicy(reader: Reader, account: string, arn: string): Promise<Managed | undefined> {
  const aws = byArn.get(arn)
  if (aws) return aws
  const [, owner, path, name] = OWN.exec(arn) ?? []
  const row = owner === account ? await policies.byName(reader, account, name!) : undefined
  return row && row.spec.path === path && row.spec.name === name ? managedOf(row) : undefined
}
