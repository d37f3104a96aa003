/**
 * The instance profile of an instance: given at launch or later, replaced, taken away.
 *
 * Invariant: nobody gives an instance a role that they may not pass (IAM User Guide, "Grant a user permissions to pass a role").
 */
import type * as sdk from '@aws-sdk/client-ec2'
import type { IamInstanceProfileAssociation, IamInstanceProfileSpecification } from '@aws-sdk/client-ec2'
import { resourceId } from '#base/id'
import type { Actions, Call } from '#kit/action'
import { pageOf } from '#kit/describe'
import { ApiError } from '#kit/error'
import { matcher } from '#kit/filter'
import { profiles, roles, type ProfileRow } from '#identity/records'
import { invalidCombination, missingParameter } from '#service/ec2/errors'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import { instances, isIn } from '#service/ec2/states'
import type { Reader } from '#store/store'

/** What an instance keeps of its profile. */
export type Profile = { association: string; id: string; arn: string; since: string }

const associationId = (): string => resourceId('iip-assoc')

const wrong = (kind: 'name' | 'arn', value: string) => new ApiError('InvalidParameterValue',
  `Value (${value}) for parameter iamInstanceProfile.${kind} is invalid. Invalid IAM Instance Profile ${kind === 'arn' ? 'ARN' : 'name'}`)

async function named(reader: Reader, account: string, { Name: name, Arn: arn }: IamInstanceProfileSpecification): Promise<ProfileRow> {
  if (name !== undefined && arn !== undefined) {
    throw invalidCombination('The parameter \'iamInstanceProfile.name\' may not be used in combination with \'iamInstanceProfile.arn\'')
  }
  if (name === undefined && arn === undefined) throw missingParameter('IamInstanceProfile')
  const row = await profiles.byName(reader, account, name ?? arn!.slice(arn!.lastIndexOf('/') + 1))
  if (!row || row.spec.name !== (name ?? row.spec.name) || (arn !== undefined && profiles.arn(row) !== arn)) {
    throw wrong(name === undefined ? 'arn' : 'name', name ?? arn!)
  }
  return row
}

/** The profile that a request names, once the caller may pass its role to EC2. */
export async function profileForInstance(call: Call<object>, specification: IamInstanceProfileSpecification): Promise<Profile> {
  const row = await named(call.tx, call.account, specification)
  const role = row.spec.role === undefined ? undefined : await roles.get(call.tx, row.spec.role)
  if (!role) throw new ApiError('InvalidParameterValue', `IAM Instance Profile "${profiles.arn(row)}" has no associated IAM Roles`)
  await call.permit({ action: 'iam:PassRole', resource: roles.arn(role), keys: { 'iam:PassedToService': ['ec2.amazonaws.com'] } })
  return {
    association: associationId(), id: row.id, arn: profiles.arn(row), since: call.now.toISOString(),
  }
}

/** The same profile for each of several instances, each associated by itself. */
export const ownProfile = (profile: Profile): Profile => ({ ...profile, association: associationId() })

type View = IamInstanceProfileAssociation & { AssociationId: string }
const view = (row: InstanceRow, State: 'associating' | 'associated' | 'disassociating', profile = row.spec.profile!): View =>
  ({ AssociationId: profile.association, InstanceId: row.id, IamInstanceProfile: { Arn: profile.arn, Id: profile.id }, State })

async function associated(call: Call<object>, id: string): Promise<InstanceRow> {
  const row = (await instance.list(call.tx, call)).find(one => one.spec.profile?.association === id)
  if (!row) throw new ApiError('InvalidAssociationID.NotFound', `The association ID '${id}' does not exist`)
  return row
}

export const actions: Actions<typeof sdk> = {
  async AssociateIamInstanceProfile(call) {
    const row = await instance.get(call.tx, call, call.input.InstanceId!)
    if (!isIn(instances.profile, row.status.state)) {
      throw new ApiError('IncorrectInstanceState', `The instance '${row.id}' is not in the 'running' or 'stopped' states.`)
    }
    if (row.spec.profile) throw new ApiError('IncorrectState', `There is an existing association for instance ${row.id}`)
    const profile = await profileForInstance(call, call.input.IamInstanceProfile!)
    return { IamInstanceProfileAssociation: view(await instance.update(call.tx, row, { spec: { profile } }, 'profile'), 'associating') }
  },
  async ReplaceIamInstanceProfileAssociation(call) {
    const row = await associated(call, call.input.AssociationId!)
    const profile = await profileForInstance(call, call.input.IamInstanceProfile!)
    return { IamInstanceProfileAssociation: view(await instance.update(call.tx, row, { spec: { profile } }, 'profile'), 'associating') }
  },
  async DisassociateIamInstanceProfile(call) {
    const row = await associated(call, call.input.AssociationId!)
    await instance.update(call.tx, row, { spec: { profile: undefined } }, 'profile')
    return { IamInstanceProfileAssociation: view(row, 'disassociating') }
  },
  async DescribeIamInstanceProfileAssociations(call) {
    const { input } = call
    const matches = matcher<View, InstanceRow>({ 'instance-id': 'InstanceId', state: 'State' }, input.Filters)
    const rows = (await instance.list(call.tx, call)).filter(row => row.spec.profile && row.status.state !== 'terminated')
    for (const id of input.AssociationIds ?? []) await associated(call, id)
    const wanted = rows.map(row => ({ row, view: view(row, 'associated') }))
      .filter(one => !input.AssociationIds?.length || input.AssociationIds.includes(one.view.AssociationId)).filter(one => matches(one.view, one.row))
    const { items, next } = pageOf(wanted, one => one.view.AssociationId, input, 'IamInstanceProfileAssociations')
    return { IamInstanceProfileAssociations: items.map(one => one.view), NextToken: next }
  },
}
