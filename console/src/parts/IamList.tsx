/** Tables inside IAM's pages, and texts that IAM encodes for addresses. */
import { SubList, type SubListProps } from './SubList'

export const IAM_KINDS = ['iam-user', 'iam-group', 'iam-role', 'iam-policy', 'iam-access-key', 'iam-mfa-device']
export const IamList = (props: Omit<SubListProps, 'service' | 'kinds'>) => <SubList service="iam" kinds={IAM_KINDS} {...props} />

/** IAM encodes its documents for addresses; other records are plain JSON. */
export const tidy = (document: string): string =>
  JSON.stringify(JSON.parse(document.startsWith('{') ? document : decodeURIComponent(document)), null, 2)
