export { type RemoteUserOptions, remoteUser } from './sharing/remote-user.ts'
export { type RemoteUsersOptions, remoteUsers } from './sharing/remote-users.ts'
