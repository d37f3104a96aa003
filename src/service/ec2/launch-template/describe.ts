/** DescribeLaunchTemplateVersions: of one template, or the newest and default ones of all. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Call } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { invalidCombination } from '#service/ec2/errors'
import { resolveImage } from '#service/ec2/instance/launch-image'
import {
  findVersion, launchTemplate, numberOf, scanVersions, templateOf, templateVersion, versionOf, type TemplateRow, type VersionRow,
} from '#service/ec2/launch-template/launch-template'

type Asked = sdk.DescribeLaunchTemplateVersionsRequest

/** Text seen on AWS (moto, test_launch_templates.py, aws_verified), with its quotation marks. */
const WHICH = 'To describe the launch template data for all your launch templates, for ‘--versions’ specify ‘$Latest’, ‘$Default’, or both, and '
  + 'omit ‘--launch-template-id’, ‘--launch-template-name’, and version numbers. To describe the launch template data for a specific launch '
  + 'template, specify ‘--launch-template-id’ or ‘--launch-template-name’, and for ‘--versions’ specify one or more of the following values: '
  + '‘$Latest’, ‘$Default’, or one or more version numbers.'

/** Each version once, the newest of a template first. */
const inOrder = (rows: VersionRow[]): VersionRow[] =>
  [...new Map(rows.map(row => [row.id, row])).values()].sort((a, b) => (a.id < b.id ? -1 : 1))

async function ofAll(call: Call<Asked>, words: readonly string[]): Promise<VersionRow[]> {
  if (words.length === 0 || call.input.MinVersion !== undefined || call.input.MaxVersion !== undefined) throw new ApiError('MissingParameter', WHICH)
  if (words.some(word => word !== '$Latest' && word !== '$Default')) throw new ApiError('InvalidParameterValue', WHICH)
  const found: VersionRow[] = []
  for (const template of await launchTemplate.list(call.tx, call)) {
    for (const word of words) found.push((await findVersion(call.tx, template, numberOf(template, word, 'Versions')))!)
  }
  return found
}

/** The rows that the request names one by one, or how to read all in its range. */
async function chosen(call: Call<Asked>): Promise<{ rows: VersionRow[] } | { of: TemplateRow; least?: number; most?: number }> {
  const { Versions: words = [], MinVersion, MaxVersion, LaunchTemplateId, LaunchTemplateName } = call.input
  if (LaunchTemplateId === undefined && LaunchTemplateName === undefined) return { rows: await ofAll(call, words) }
  const template = await templateOf(call.tx, call, call.input, 'describe versions of the template')
  if (words.length === 0) {
    const number = (text: string | undefined, name: string) => (text === undefined ? undefined : numberOf(template, text, name))
    return { of: template, least: number(MinVersion, 'MinVersion'), most: number(MaxVersion, 'MaxVersion') }
  }
  if (MinVersion !== undefined || MaxVersion !== undefined) {
    throw invalidCombination('Versions may not be used in combination with MinVersion or MaxVersion.')
  }
  return { rows: await Promise.all(words.map(word => versionOf(call.tx, template, word, 'Versions'))) }
}

/** With the AMI that a parameter holds, where the version names a parameter (API Reference, ResolveAlias). */
export const resolver = (context: Pick<Context, 'parameter'>, call: Call<object>) =>
  async (view: sdk.LaunchTemplateVersion): Promise<sdk.LaunchTemplateVersion> => {
    const { LaunchTemplateData: data } = view
    return data?.ImageId ? { ...view, LaunchTemplateData: { ...data, ImageId: await resolveImage(context, call, data.ImageId) } } : view
  }

export async function describeVersions(context: Pick<Context, 'parameter'>, call: Call<Asked>): Promise<sdk.DescribeLaunchTemplateVersionsResult> {
  const { input } = call
  const asked = { ...call, input: { ...input, MaxResults: input.MaxResults ?? 200 } }
  const which = await chosen(call)
  // The token of a page belongs to the template and range, too.
  const { LaunchTemplateId, LaunchTemplateName, Versions, MinVersion, MaxVersion } = input
  const kind = `versions ${JSON.stringify([LaunchTemplateId, LaunchTemplateName, Versions, MinVersion, MaxVersion])}`
  const resource = 'rows' in which ? { ...templateVersion, kind } : {
    ...templateVersion, kind,
    scan: (reader: Call<Asked>['tx'], _: object, page: { after: string; size: number }) => scanVersions(reader, which.of, { ...which, ...page }),
  }
  const options = { ids: undefined, page: { least: 1, most: 200 }, ...('rows' in which && { rows: inOrder(which.rows) }) }
  const { hits, next } = await select(asked, resource as typeof templateVersion, options)
  const views = hits.map(hit => hit.view)
  return { LaunchTemplateVersions: input.ResolveAlias ? await Promise.all(views.map(resolver(context, call))) : views, NextToken: next }
}
