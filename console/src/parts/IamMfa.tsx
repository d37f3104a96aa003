/**
 * MFA devices of a user: one is made, scanned, and tied to the user by two of its codes.
 *
 * Invariant: nothing goes that nobody asked to delete. Who leaves between the two steps leaves a device of nobody's, which is listed.
 */
import { Box, CopyToClipboard, SpaceBetween } from '@cloudscape-design/components'
import { useState } from 'react'
import { t } from '../i18n/text'
import { taking } from '../resources/choices'
import { column, type Action, type Column, type Field, type Form, type Item } from '../resources/kinds'
import { FormDialog } from './FormPage'
import { IamList } from './IamList'

type Device = { serial: string; seed: string; picture: string }

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const deviceOf = ({ SerialNumber, Base32StringSeed, QRCodePNG }: Item): Device => ({
  serial: SerialNumber,
  seed: text(Base32StringSeed),
  picture: `data:image/png;base64,${btoa(text(QRCodePNG))}`,
})

const isCode = (value: string) => (value === '' || /^\d{6}$/.test(value) ? undefined : 'mfa.wrongCode')
const codes: Field[] = [
  { name: 'first', label: 'mfa.first', hint: 'mfa.codesHint', wrong: isCode },
  { name: 'second', label: 'mfa.second', wrong: isCode },
]
const proving = (operation: 'EnableMFADevice' | 'ResyncMFADevice', user: string, serial?: string): Form => ({
  operation,
  fields: codes,
  input: (values, item) => ({
    UserName: user,
    SerialNumber: serial ?? item?.SerialNumber,
    AuthenticationCode1: values.first,
    AuthenticationCode2: values.second,
  }),
})

export function AssignMfa({ user, onClose, onDone }: { user: string; onClose(): void; onDone?(): void }) {
  const [device, setDevice] = useState<Device>()
  if (device) {
    const form = proving('EnableMFADevice', user, device.serial)
    const done = (): void => {
      onDone?.()
      onClose()
    }
    return (
      <FormDialog
        key="tie"
        service="iam"
        form={form}
        title="mfa.add"
        id={device.serial}
        above={<Scan device={device} />}
        onDone={done}
        onClose={onClose}
      />
    )
  }
  const making: Form = {
    operation: 'CreateVirtualMFADevice',
    fields: [{ name: 'name', label: 'mfa.name', hint: 'mfa.nameHint', value: user }],
    input: values => ({ VirtualMFADeviceName: values.name }),
    done: answer => setDevice(deviceOf(answer.VirtualMFADevice)),
  }
  return <FormDialog key="make" service="iam" form={making} title="mfa.make" id={user} onDone={() => {}} onClose={onClose} />
}

function Scan({ device: { serial, seed, picture } }: { device: Device }) {
  return (
    <SpaceBetween size="s">
      <Box>{t('mfa.scan')}</Box>
      <img src={picture} alt={t('mfa.qr', { id: serial })} style={{ display: 'block', imageRendering: 'pixelated' }} />
      <SpaceBetween size="xs" direction="horizontal" alignItems="center">
        <Box variant="awsui-key-label">{t('mfa.seed')}</Box>
        <Box variant="code">
          <span data-seed style={{ overflowWrap: 'anywhere' }}>
            {seed}
          </span>
        </Box>
        <CopyToClipboard
          variant="icon"
          copyButtonAriaLabel={t('do.copy')}
          textToCopy={seed}
          copySuccessText={t('do.copied')}
          copyErrorText={t('do.copyFailed')}
        />
      </SpaceBetween>
    </SpaceBetween>
  )
}

const enabled = column('EnableDate', 'mfa.enabled', { kind: 'date' })
const serial: Column = column('SerialNumber', 'mfa.serial')

export function MfaDevices({ user }: { user: string }) {
  const resync: Action = { id: 'resync', label: 'mfa.resync', form: proving('ResyncMFADevice', user) }
  const activate: Action = { id: 'activate', label: 'mfa.activate', form: proving('EnableMFADevice', user) }
  return (
    <SpaceBetween size="l">
      <IamList
        title="mfa.devices"
        operation="ListMFADevices"
        member="MFADevices"
        input={{ UserName: user }}
        columns={[serial, enabled]}
        empty="mfa.none"
        actions={[resync]}
        remove={taking('mfa.deactivate', 'DeactivateMFADevice', item => ({ UserName: user, SerialNumber: item.SerialNumber }))}
      />
      <IamList
        title="mfa.free"
        operation="ListVirtualMFADevices"
        member="VirtualMFADevices"
        input={{ AssignmentStatus: 'Unassigned' }}
        columns={[serial]}
        empty="mfa.noneFree"
        actions={[activate]}
        remove={taking('do.delete', 'DeleteVirtualMFADevice', item => ({ SerialNumber: item.SerialNumber }))}
      />
    </SpaceBetween>
  )
}
