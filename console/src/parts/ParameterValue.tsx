/** What a parameter holds. A secret is asked for once somebody wants to see it. */
import { Alert, Button } from '@cloudscape-design/components'
import { useState } from 'react'
import { useAnswer } from '../api/use'
import { t } from '../i18n/text'
import { LogText } from './LogText'

export function ParameterValue({ name, secret }: { name: string; secret: boolean }) {
  const [shown, setShown] = useState(!secret)
  return shown ? <Value name={name} /> : <Button onClick={() => setShown(true)}>{t('parameters.show')}</Button>
}

function Value({ name }: { name: string }) {
  const { data, error } = useAnswer('ssm', 'GetParameter', { Name: name, WithDecryption: true }, ['ssm-parameter'])
  return error ? <Alert type="error">{error}</Alert> : <LogText label={t('f.value')} text={data?.Parameter.Value ?? ''} />
}
