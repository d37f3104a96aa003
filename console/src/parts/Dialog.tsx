/** A question in front of the page, with the way out and the way on. */
import { Box, Button, Modal, SpaceBetween } from '@cloudscape-design/components'
import type { ReactNode } from 'react'
import { t } from '../i18n/text'

type Props = {
  title: string
  submit: string
  busy?: boolean
  disabled?: boolean
  large?: boolean
  onSubmit(): void
  onClose(): void
  children: ReactNode
}

export function Dialog({ title, submit, busy, disabled, large, onSubmit, onClose, children }: Props) {
  const buttons = (
    <Box float="right">
      <SpaceBetween size="xs" direction="horizontal">
        <Button variant="link" onClick={onClose}>
          {t('do.cancel')}
        </Button>
        <Button variant="primary" loading={busy} disabled={disabled} onClick={onSubmit}>
          {submit}
        </Button>
      </SpaceBetween>
    </Box>
  )
  return (
    <Modal visible header={title} size={large ? 'large' : 'medium'} onDismiss={onClose} closeAriaLabel={t('do.close')} footer={buttons}>
      {children}
    </Modal>
  )
}
