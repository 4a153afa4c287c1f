import { NAME_LENGTH, PERMISSION_LENGTH } from '../../database/tables.ts'
import { UserInvalid } from '../../errors.ts'

/** @throws UserInvalid where it is no name of a permission: 1–255 characters that can be seen, no white space at either end */
export function checkPermissionName(permission: unknown, field = 'permission'): asserts permission is string {
  if (!isName(permission, PERMISSION_LENGTH))
    throw new UserInvalid({ [field]: "A permission must have a name of 1 to 255 characters, as 'openings.publish'." })
}

/** @throws UserInvalid where it is no name of a group: 1–150 characters that can be seen, no white space at either end */
export function checkGroupName(name: unknown): asserts name is string {
  if (!isGroupName(name)) throw new UserInvalid({ name: 'A group must have a name of 1 to 150 characters.' })
}

/** Whether a group can have this name. */
export function isGroupName(name: unknown): name is string {
  return isName(name, NAME_LENGTH)
}

/** Whether it is a name: characters that can be seen, so many at most, no white space at either end. */
export function isName(name: unknown, longest: number): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    [...name].length <= longest &&
    name.isWellFormed() &&
    !/^\s|\s$|\p{Cc}/u.test(name)
  )
}
