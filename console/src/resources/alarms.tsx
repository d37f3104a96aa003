/** CloudWatch's alarms on the metrics of instances. */
import { instances, isIn } from '../../../src/service/ec2/states'
import { currentRegion } from '../api/call'
import { instance } from './choices'
import { column, type Action, type Column, type Field, type Item, type Resource } from './kinds'

export const instanceOf = (alarm: Item): string | undefined => alarm.Dimensions?.find((one: Item) => one.Name === 'InstanceId')?.Value

/** The form of an alarm on an instance, begun with one of its metrics. */
export const alarmForm = (instance: string, metric = 'StatusCheckFailed', statistic = 'Maximum'): string =>
  `/create/cloudwatch/alarms?${new URLSearchParams({ instance, metric, statistic })}`

export const columns: readonly Column[] = [
  column('AlarmName', 'alarms.name', { width: 220 }),
  column('StateValue', 'f.state', { kind: 'state', width: 190 }),
  column('MetricName', 'alarms.metric', { width: 200 }),
  column('ComparisonOperator', 'alarms.condition', { kind: 'word', width: 190 }),
  column('Threshold', 'alarms.threshold'),
  column('Period', 'alarms.period'),
  column('StateReason', 'alarms.reason', { width: 420 }),
]
const METRICS = [
  'CPUUtilization',
  'NetworkIn',
  'NetworkOut',
  'NetworkPacketsIn',
  'NetworkPacketsOut',
  'StatusCheckFailed',
  'StatusCheckFailed_Instance',
]
/** What is there may be watched, whatever its state. */
const watched: Field = { ...instance, from: { ...instance.from!, keep: item => isIn(instances.terminate, item.State.Name) } }
const names = (items: Item[]) => ({ AlarmNames: items.map(item => item.AlarmName) })

export const remove: Action = {
  id: 'delete',
  label: 'alarms.delete',
  operation: 'DeleteAlarms',
  all: names,
  confirm: 'plain',
}

export const resources: Resource[] = [
  {
    path: '/cloudwatch/alarms',
    service: 'cloudwatch',
    title: 'menu.cloudwatch',
    empty: ['alarms.empty', 'alarms.emptyHint'],
    operation: 'DescribeAlarms',
    member: 'MetricAlarms',
    id: item => item.AlarmName,
    kinds: ['alarm'],
    columns: [
      ...columns,
      { id: 'instance', label: 'f.InstanceId', value: instanceOf, link: '/ec2/instances', width: 200 },
      column('ActionsEnabled', 'alarms.actions'),
      column('StateUpdatedTimestamp', 'alarms.updated', { kind: 'date' }),
    ],
    create: {
      label: 'alarms.create',
      form: {
        operation: 'PutMetricAlarm',
        fields: [
          { name: 'name', label: 'alarms.name' },
          { name: 'description', label: 'f.description', optional: true },
          watched,
          {
            name: 'metric',
            label: 'alarms.metric',
            kind: 'select',
            options: METRICS,
          },
          { name: 'statistic', label: 'alarms.statistic', kind: 'select', options: ['Average', 'Sum', 'Minimum', 'Maximum', 'SampleCount'] },
          {
            name: 'comparison',
            label: 'alarms.condition',
            kind: 'select',
            options: ['GreaterThanThreshold', 'GreaterThanOrEqualToThreshold', 'LessThanThreshold', 'LessThanOrEqualToThreshold'],
          },
          { name: 'threshold', label: 'alarms.threshold', kind: 'number', value: '80' },
          { name: 'period', label: 'alarms.period', hint: 'alarms.periodHint', kind: 'select', options: ['300', '60', '900', '3600'] },
          { name: 'count', label: 'alarms.count', kind: 'number', value: '2' },
          { name: 'action', label: 'alarms.action', kind: 'select', optional: true, options: ['stop', 'reboot', 'terminate'] },
        ],
        input: values => ({
          AlarmName: values.name,
          AlarmDescription: values.description || undefined,
          Namespace: 'AWS/EC2',
          MetricName: values.metric,
          Dimensions: [{ Name: 'InstanceId', Value: values.instance }],
          Statistic: values.statistic,
          ComparisonOperator: values.comparison,
          Threshold: Number(values.threshold),
          Period: Number(values.period),
          EvaluationPeriods: Number(values.count),
          AlarmActions: values.action ? [`arn:aws:automate:${currentRegion()}:ec2:${values.action}`] : undefined,
        }),
      },
    },
    actions: [
      { id: 'on', label: 'alarms.enable', operation: 'EnableAlarmActions', all: names, enabled: item => !item.ActionsEnabled },
      { id: 'off', label: 'alarms.disable', operation: 'DisableAlarmActions', all: names, enabled: item => item.ActionsEnabled, confirm: 'plain' },
      remove,
    ],
  },
]
