/** A page that breaks says so in its place; the rest of the console stays. */
import { Alert } from '@cloudscape-design/components'
import { Component, type ReactNode } from 'react'
import { t } from '../i18n/text'

type Props = { children: ReactNode }

export class Fault extends Component<Props, { error?: Error }> {
  override state: { error?: Error } = {}
  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }
  override render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <Alert type="error" header={t('error.page')}>
        {error.message}
      </Alert>
    )
  }
}
