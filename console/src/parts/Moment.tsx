/** A day and a time of it, in UTC. What is typed stands as it is until both are whole. */
import { DatePicker, SpaceBetween, TimeInput } from '@cloudscape-design/components'
import { t } from '../i18n/text'

/** `value`: '2027-01-31T09:30', or less of it. */
export default function Moment({ value, onChange }: { value: string; onChange(value: string): void }) {
  const [day = '', time = ''] = value.split('T')
  return (
    <SpaceBetween size="xs" direction="horizontal">
      <DatePicker
        value={day}
        placeholder="YYYY/MM/DD"
        openCalendarAriaLabel={() => t('moment.calendar')}
        onChange={({ detail }) => onChange(`${detail.value}T${time || '00:00'}`)}
      />
      <TimeInput
        ariaLabel={t('moment.time')}
        value={time}
        format="hh:mm"
        placeholder="hh:mm"
        onChange={({ detail }) => onChange(`${day}T${detail.value}`)}
      />
    </SpaceBetween>
  )
}
