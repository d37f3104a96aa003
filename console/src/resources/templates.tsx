/** Launch templates: their versions, the one that counts, and launches by them. */
import { TemplateVersions } from '../parts/TemplateTabs'
import { simple } from './choices'
import { column, type Field, type Item, type Resource } from './kinds'

const CREATE = '/create/ec2/launch-templates'

/** One of the numbers up to the newest. Which of them are gone the API says. */
const version: Field = { name: 'version', label: 'templates.version', kind: 'number', value: '1' }

/** The newest that may go: not the default one. */
const oneToGo = ({ LatestVersionNumber: latest, DefaultVersionNumber: kept }: Item): number => (latest === kept ? Math.max(1, latest - 1) : latest)

/** Of DeleteLaunchTemplateVersions, whose answer may say that one could not go. */
const undeleted = (answer: any): string | undefined => answer.UnsuccessfullyDeletedLaunchTemplateVersions?.[0]?.ResponseError?.Message

export const templates: Resource = {
  path: '/ec2/launch-templates',
  service: 'ec2',
  title: 'menu.launchTemplates',
  empty: ['templates.empty', 'templates.emptyHint'],
  operation: 'DescribeLaunchTemplates',
  member: 'LaunchTemplates',
  id: item => item.LaunchTemplateId,
  name: item => item.LaunchTemplateName,
  kinds: ['launch-template'],
  tagged: 'launch-template',
  columns: [
    column('LaunchTemplateName', 'templates.name', { width: 260 }),
    column('LaunchTemplateId', 'templates.id'),
    column('DefaultVersionNumber', 'templates.default'),
    column('LatestVersionNumber', 'templates.latest'),
    column('CreateTime', 'f.created', { kind: 'date' }),
    column('CreatedBy', 'templates.createdBy'),
  ],
  create: { label: 'templates.create', href: CREATE },
  actions: [
    { id: 'launch', label: 'templates.launch', href: item => `/ec2/instances/launch?template=${item.LaunchTemplateId}` },
    { id: 'modify', label: 'templates.newVersion', href: item => `${CREATE}?template=${item.LaunchTemplateId}` },
    {
      id: 'default',
      label: 'templates.setDefault',
      form: {
        operation: 'ModifyLaunchTemplate',
        fields: [version],
        start: (item: Item) => ({ version: String(item.LatestVersionNumber) }),
        input: (values, item) => ({ LaunchTemplateId: item?.LaunchTemplateId, DefaultVersion: String(values.version) }),
      },
    },
    {
      id: 'deleteVersion',
      label: 'templates.deleteVersion',
      form: {
        operation: 'DeleteLaunchTemplateVersions',
        fields: [version],
        start: (item: Item) => ({ version: String(oneToGo(item)) }),
        input: (values, item) => ({ LaunchTemplateId: item?.LaunchTemplateId, Versions: [String(values.version)] }),
        problem: undeleted,
      },
    },
    { id: 'delete', label: 'templates.delete', ...simple('DeleteLaunchTemplate', 'LaunchTemplateId'), confirm: 'typed' },
  ],
  tabs: [{ id: 'versions', label: 'templates.versions', content: item => <TemplateVersions item={item} /> }],
}

export const resources: Resource[] = [templates]
