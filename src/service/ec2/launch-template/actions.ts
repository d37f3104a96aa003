/** What may be asked of launch templates. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions, Call } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { invalidValue } from '#service/ec2/errors'
import { basedOn, readData } from '#service/ec2/launch-template/data'
import { describeVersions, resolver } from '#service/ec2/launch-template/describe'
import {
  findVersion, launchTemplate, makeVersion, nameScope, numberOf, scanVersions, templateByName, templateOf, templateVersion, versionOf,
  type TemplateRow, type VersionRow,
} from '#service/ec2/launch-template/launch-template'
import { dataOf } from '#service/ec2/launch-template/of-instance'
import { warningOf } from '#service/ec2/launch-template/warnings'
import { checkLimit } from '#service/ec2/vpc/limits'

/** API Reference: at most 200 of either in a page, and where nothing is said. */
export const PAGE = { least: 1, most: 200 }

function nameOf(given: string): string {
  if (/^[a-zA-Z0-9()./_-]{3,128}$/.test(given)) return given
  throw new ApiError('InvalidLaunchTemplateName.MalformedException', 'A launch template name must be between 3 and 128 characters, and may '
    + 'contain letters, numbers, and the following characters: - ( ) . / _.')
}

function descriptionOf(given: string | undefined): { description?: string } {
  if (given !== undefined && given.length > 255) throw invalidValue('VersionDescription', given, 'At most 255 characters.')
  return given ? { description: given } : {}
}

async function addVersion(call: Call<sdk.CreateLaunchTemplateVersionRequest>, template: TemplateRow, data: VersionRow['spec']['data']) {
  const number = template.spec.last + 1
  const row = await call.tx.put(makeVersion(template, {
    now: call.now, number, createdBy: call.caller.principal.arn, data, ...descriptionOf(call.input.VersionDescription),
  }), 'created')
  await launchTemplate.update(call.tx, template, { spec: { latest: number, last: number, count: template.spec.count + 1 } }, 'modified')
  return row
}

type Outcome = { row: VersionRow } | { number: number; code: sdk.LaunchTemplateErrorCode; message: string }

/** A version that may go, or why it may not: the default one stays (User Guide, "Delete a launch template or a launch template version"). */
async function leaving({ tx }: Call<object>, template: TemplateRow, number: number): Promise<Outcome> {
  const row = await findVersion(tx, template, number)
  if (!row) return { number, code: 'launchTemplateVersionDoesNotExist', message: 'The launch template version does not exist.' }
  if (number === template.spec.defaultVersion) {
    return { number, code: 'unexpectedError', message: `Version ${number} is the default version of the launch template and can't be deleted.` }
  }
  return { row }
}

async function newest(call: Call<object>, template: TemplateRow): Promise<number> {
  for await (const [first] of scanVersions(call.tx, template, { size: 1 })) if (first) return first.spec.number
  throw new Error(`${template.id} has no version`)
}

async function deleteVersions(call: Call<sdk.DeleteLaunchTemplateVersionsRequest>): Promise<sdk.DeleteLaunchTemplateVersionsResult> {
  const { input, tx } = call
  const template = await templateOf(tx, call, input, 'delete versions of the template')
  const asked = input.Versions ?? []
  if (asked.length > 200) throw invalidValue('Versions', `${asked.length} versions`, 'At most 200 are allowed in a request.')
  const numbers = [...new Set(asked.map(text => numberOf(template, text, 'Versions')))]
  const outcomes: Outcome[] = []
  for (const number of numbers) outcomes.push(await leaving(call, template, number))
  const gone = outcomes.flatMap(one => ('row' in one ? [one.row] : []))
  for (const row of gone) await tx.remove(row, 'deleted')
  const count = template.spec.count - gone.length
  if (gone.length > 0) await launchTemplate.update(tx, template, { spec: { count, latest: await newest(call, template) } }, 'modified')
  const of = (VersionNumber: number) => ({ LaunchTemplateId: template.id, LaunchTemplateName: template.spec.name, VersionNumber })
  return {
    SuccessfullyDeletedLaunchTemplateVersions: gone.map(row => of(row.spec.number)),
    UnsuccessfullyDeletedLaunchTemplateVersions: outcomes.flatMap(one =>
      ('row' in one ? [] : [{ ...of(one.number), ResponseError: { Code: one.code, Message: one.message } }])),
  }
}

/** Text seen on AWS for names that are not there, whichever it is (moto, test_launch_templates.py, aws_verified). */
async function byNames(call: Call<object>, names: readonly string[]): Promise<string[]> {
  try {
    return (await Promise.all(names.map(name => templateByName(call.tx, call, name)))).map(row => row.id)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw new ApiError(error.code, 'At least one of the launch templates specified in the request does not exist.')
  }
}

export const actions = (context: Pick<Context, 'capacity' | 'parameter'>): Actions<typeof sdk> => ({
  async CreateLaunchTemplate(call) {
    const { input, account, region, tx, now } = call
    const place = { account, region }
    const name = nameOf(input.LaunchTemplateName!)
    if (input.Operator !== undefined) throw invalidValue('Operator', 'given', 'It is for services of AWS alone.')
    const data = readData(input.LaunchTemplateData!)
    const words = descriptionOf(input.VersionDescription)
    checkLimit('launchTemplates', (await launchTemplate.list(tx, place)).length)
    const createdBy = call.caller.principal.arn
    const template = launchTemplate.make({
      ...place, now, tags: call.tags('launch-template'), spec: { name, createdBy, defaultVersion: 1, latest: 1, last: 1, count: 1 }, status: {},
    })
    if (!await tx.claim(nameScope(place), name, template.id)) {
      throw new ApiError('InvalidLaunchTemplateName.AlreadyExistsException', 'Launch template name already in use.')
    }
    const row = await tx.put(template, 'created')
    await tx.put(makeVersion(row, { now, number: 1, createdBy, data, ...words }), 'created')
    return { LaunchTemplate: await launchTemplate.viewOne(tx, row), Warning: await warningOf(context, call, data) }
  },

  async CreateLaunchTemplateVersion(call) {
    const { input, tx } = call
    const template = await templateOf(tx, call, input, 'create a version of the template')
    const given = readData(input.LaunchTemplateData!)
    const source = input.SourceVersion ? await versionOf(tx, template, input.SourceVersion, 'SourceVersion') : undefined
    checkLimit('launchTemplateVersions', template.spec.count)
    const row = await addVersion(call, template, source ? basedOn(source.spec.data, given) : given)
    const view = await templateVersion.viewOne(tx, row)
    return {
      LaunchTemplateVersion: input.ResolveAlias ? await resolver(context, call)(view) : view,
      Warning: await warningOf(context, call, row.spec.data),
    }
  },

  async DescribeLaunchTemplates(call) {
    const { LaunchTemplateIds = [], LaunchTemplateNames = [], MaxResults } = call.input
    const ids = [...LaunchTemplateIds, ...await byNames(call, LaunchTemplateNames)]
    const paged = ids.length > 0 ? call : { ...call, input: { ...call.input, MaxResults: MaxResults ?? PAGE.most } }
    const { hits, next } = await select(paged, launchTemplate, { ids, page: PAGE })
    return { LaunchTemplates: hits.map(hit => hit.view), NextToken: next }
  },

  DescribeLaunchTemplateVersions: call => describeVersions(context, call),

  async ModifyLaunchTemplate({ input, account, region, tx }) {
    const template = await templateOf(tx, { account, region }, input, 'modify the template')
    const text = input.DefaultVersion
    if (text === undefined) return { LaunchTemplate: await launchTemplate.viewOne(tx, template) }
    const number = numberOf(template, text, 'DefaultVersion')
    if (!await findVersion(tx, template, number)) {
      throw new ApiError(templateVersion.missing, `The launch template version ${text} is not found for the specified launch template.`)
    }
    const now = await launchTemplate.update(tx, template, { spec: { defaultVersion: number } }, 'modified')
    return { LaunchTemplate: await launchTemplate.viewOne(tx, now) }
  },

  async DeleteLaunchTemplate(call) {
    const template = await templateOf(call.tx, call, call.input, 'delete the template')
    for await (const rows of scanVersions(call.tx, template)) for (const row of rows) await call.tx.remove(row, 'deleted')
    await call.tx.remove(template, 'deleted')
    return { LaunchTemplate: await launchTemplate.viewOne(call.tx, template) }
  },

  DeleteLaunchTemplateVersions: deleteVersions,
  GetLaunchTemplateData: async call => ({ LaunchTemplateData: await dataOf(call, call.input.InstanceId!) }),
})
