import type { Knex } from 'knex'

/** An article of the magazine. */
export interface Article {
  readonly id: number
  readonly title: string
  readonly text: string
  /** Whether readers see it. */
  readonly isPublished: boolean
}

/** The magazine's articles, in its own database. */
export class Articles {
  readonly #database: Knex

  constructor(database: Knex) {
    this.#database = database
  }

  /** Makes the table. */
  createTable(): Promise<void> {
    return this.#database.schema.createTable('articles', table => {
      table.increments('id')
      table.string('title').notNullable()
      table.text('text').notNullable()
      table.boolean('is_published').notNullable()
    })
  }

  async add({ title, text, isPublished }: Omit<Article, 'id'>): Promise<void> {
    await this.#database('articles').insert({ title, text, is_published: isPublished })
  }

  /** All of them, the newest first. */
  async all(): Promise<Article[]> {
    return (await this.#database('articles').orderBy('id', 'desc')).map(toArticle)
  }

  async published(): Promise<Article[]> {
    return (await this.all()).filter(({ isPublished }) => isPublished)
  }

  /** One that readers see, or null. @param id as it stands in the address */
  async find(id: string): Promise<Article | null> {
    const row = await this.#with(id).where({ is_published: true }).first()
    return row ? toArticle(row) : null
  }

  /** Shows it to readers, or takes it back. False where there is none. */
  async publish(id: string, isPublished: boolean): Promise<boolean> {
    return (await this.#with(id).update({ is_published: isPublished })) > 0
  }

  #with(id: string): Knex.QueryBuilder {
    return this.#database('articles').where({ id: /^\d{1,9}$/.test(id) ? Number(id) : 0 })
  }
}

function toArticle(row: { id: number; title: string; text: string; is_published: unknown }): Article {
  const { id, title, text } = row
  return { id, title, text, isPublished: Boolean(row.is_published) }
}
