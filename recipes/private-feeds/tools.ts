import type { Knex } from 'knex'

/** A tool that can be borrowed. */
export interface Tool {
  readonly id: number
  readonly name: string
  /** When it came to the library, in epoch milliseconds. */
  readonly added_at: number
}

/** A tool that somebody has. */
export interface Loan {
  readonly id: number
  readonly tool: string
  /** In epoch milliseconds. */
  readonly lent_at: number
  /** The day it is due back, as `2026-12-03`. */
  readonly due: string
}

/** The tables of the tool library. */
export class Tools {
  readonly #database: Knex

  constructor(database: Knex) {
    this.#database = database
  }

  /** Makes the tables. */
  async createTables(): Promise<void> {
    await this.#database.schema.createTable('tools', table => {
      table.increments('id')
      table.string('name').notNullable()
      table.bigInteger('added_at').notNullable()
    })
    await this.#database.schema.createTable('loans', table => {
      table.increments('id')
      table.string('user_key').notNullable().index()
      table.string('tool').notNullable()
      table.bigInteger('lent_at').notNullable()
      table.string('due').notNullable()
    })
  }

  async add(name: string, added_at: number): Promise<void> {
    await this.#database('tools').insert({ name, added_at })
  }

  async lend(user_key: string, loan: Omit<Loan, 'id'>): Promise<void> {
    await this.#database('loans').insert({ user_key, ...loan })
  }

  /** The newest first. */
  newest(): Promise<Tool[]> {
    return this.#database<Tool>('tools').orderBy('id', 'desc').limit(20)
  }

  /** What somebody has, the last first. */
  lentTo(user_key: string): Promise<Loan[]> {
    return this.#database<Loan & { user_key: string }>('loans')
      .where({ user_key })
      .select('id', 'tool', 'lent_at', 'due')
      .orderBy('id', 'desc')
  }
}
