/** Data Lifecycle Manager's policies: snapshots of volumes with a tag, taken and thrown away by themselves. */
import { policies } from '../../../src/service/dlm/states'
import { isIn } from '../../../src/service/ec2/states'
import { column, stateColumn, type Item, type Resource } from './kinds'

const role: Resource['columns'][number] = column('ExecutionRoleArn', 'f.role')
const change = (state: 'ENABLED' | 'DISABLED') => (item: Item) => ({ PolicyId: item.PolicyId, State: state })

export const resources: Resource[] = [
  {
    path: '/ec2/lifecycle-manager',
    service: 'dlm',
    title: 'menu.lifecycle',
    empty: ['dlm.empty', 'dlm.emptyHint'],
    operation: 'GetLifecyclePolicies',
    member: 'Policies',
    // Tags are a map here.
    rows: items => items.map(item => ({ ...item, Tags: Object.entries(item.Tags ?? {}).map(([Key, Value]) => ({ Key, Value })) })),
    id: item => item.PolicyId,
    kinds: ['dlm-policy'],
    columns: [
      column('PolicyId', 'dlm.id'),
      column('Description', 'f.description', { width: 320 }),
      column('PolicyType', 'f.type', { width: 260 }),
      stateColumn,
      { ...role, hidden: true },
    ],
    create: {
      label: 'dlm.create',
      form: {
        operation: 'CreateLifecyclePolicy',
        id: answer => answer.PolicyId,
        fields: [
          { name: 'description', label: 'f.description' },
          {
            name: 'role',
            label: 'f.role',
            kind: 'select',
            from: { service: 'iam', operation: 'ListRoles', member: 'Roles', value: item => item.Arn, label: item => item.RoleName },
          },
          { name: 'key', label: 'dlm.key', value: 'Backup' },
          { name: 'value', label: 'dlm.value', value: 'daily' },
          { name: 'hours', label: 'dlm.hours', kind: 'select', options: ['24', '12', '8', '6', '4', '3', '2', '1'] },
          { name: 'count', label: 'dlm.count', kind: 'number', value: '7' },
        ],
        input: values => ({
          Description: values.description,
          ExecutionRoleArn: values.role,
          State: 'ENABLED',
          PolicyDetails: {
            PolicyType: 'EBS_SNAPSHOT_MANAGEMENT',
            ResourceTypes: ['VOLUME'],
            TargetTags: [{ Key: values.key, Value: values.value }],
            Schedules: [
              {
                Name: values.description,
                CreateRule: { Interval: Number(values.hours), IntervalUnit: 'HOURS' },
                RetainRule: { Count: Number(values.count) },
              },
            ],
          },
        }),
      },
    },
    actions: [
      {
        id: 'on',
        label: 'dlm.enable',
        operation: 'UpdateLifecyclePolicy',
        each: change('ENABLED'),
        enabled: item => isIn(policies.enable, item.State),
      },
      {
        id: 'off',
        label: 'dlm.disable',
        operation: 'UpdateLifecyclePolicy',
        each: change('DISABLED'),
        enabled: item => isIn(policies.disable, item.State),
        confirm: 'plain',
      },
      { id: 'delete', label: 'dlm.delete', operation: 'DeleteLifecyclePolicy', each: item => ({ PolicyId: item.PolicyId }), confirm: 'typed' },
    ],
  },
]
